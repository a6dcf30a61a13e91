"""The results as markdown: the paper's number beside ours."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import mean, stdev

from .results import Result


def results_table(results: Sequence[Result]) -> str:
    """One table a recipe and preset, a row a network, a column a data set: ours, the paper's in brackets.

    Several seeds of a cell are given as mean ± standard deviation.
    """
    if not results:
        return "No results yet.\n"
    return "\n".join(_table(group) for group in _grouped(results, "recipe", "preset"))


def details_table(results: Sequence[Result]) -> str:
    """One row a cell and seed, with all that is needed to run it again."""
    head = (
        "cell",
        "seed",
        "preset",
        "ours",
        "paper",
        "parameters",
        "images seen",
        "minutes",
        "commit",
        "command",
    )
    rows = [
        (
            f"{one.column} {one.row}",
            one.seed,
            one.preset,
            _number(one.value),
            _number(one.paper),
            f"{one.parameters:,}",
            f"{one.images_seen:,}",
            f"{one.wall_seconds / 60:.1f}",
            one.commit[:10],
            f"`{one.command}`",
        )
        for one in results
    ]
    return _markdown(head, rows)


def _table(results: Sequence[Result]) -> str:
    first = results[0]
    columns = list(dict.fromkeys(one.column for one in sorted(results, key=lambda one: one.place[:2])))
    rows = list(dict.fromkeys(one.row for one in sorted(results, key=lambda one: one.place[2:])))
    cells: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for one in results:
        cells[one.row, one.column].append(one)
    body = [(f"`{row}`", *(_cell(cells.get((row, column), [])) for column in columns)) for row in rows]
    seen = _range([one.images_seen for one in results])
    minutes = _range([round(one.wall_seconds / 60) for one in results])
    title = (
        f"`{first.recipe}`, preset `{first.preset}`: {first.metric}, the paper's in brackets "
        f"({seen} images seen, {minutes} minutes a run).\n\n"
    )
    return title + _markdown(("network", *columns), body)


def _cell(results: Sequence[Result]) -> str:
    if not results:
        return ""
    values = [one.value for one in results]
    ours = f"{mean(values):.2f}" if len(values) == 1 else f"{mean(values):.2f} ± {stdev(values):.2f}"
    paper = results[0].paper
    return f"**{ours}**" if paper is None else f"**{ours}** ({_number(paper)})"


def _markdown(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    names = [str(name) for name in head]
    lines = [names, ["---"] * len(names), *([str(value) for value in row] for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _grouped(results: Sequence[Result], *names: str) -> list[list[Result]]:
    groups: dict[tuple[str, ...], list[Result]] = defaultdict(list)
    for one in results:
        groups[tuple(getattr(one, name) for name in names)].append(one)
    return list(groups.values())
