"""The results as markdown: the paper's number beside ours."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from .cells import cells_table, names
from .markdown import markdown_table, plain
from .results import Result, is_error
from .scores import Score, scores

Papers = Mapping[str, Mapping[str, float | None]]
"""The paper's number of every cell of every recipe; None where it gives none."""

_HEADS = {"co-localisation": "class"}


def results_table(results: Sequence[Result], papers: Papers | None = None) -> str:
    """One table a recipe and preset, a row a network, a column a data set: ours, the paper's in brackets.

    Ours is bold where it is at least as good. Several seeds of a cell are given as mean ± standard deviation.

    Args:
        results: As `read_results` gives them.
        papers: What there is to train; a cell of it without a result is shown with the paper's number alone.
            Of a preset other than the recipe's main one only rows and columns with a result are shown.
    """
    if not results:
        return "No results yet.\n"
    main, tables = main_presets(results), []
    for group in grouped(_main_first(results, main), "recipe", "preset", "metric"):
        first = group[0]
        beside = (papers or {}).get(first.recipe, {})
        tables.append(_table(group, beside if main[first.recipe] == first.preset else _within(group, beside)))
    return "\n".join(tables)


def details_table(results: Sequence[Result]) -> str:
    """One row a cell and seed, with all that is needed to run it again."""
    head = (
        "recipe",
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
            one.recipe,
            " ".join(names(one.cell)),
            one.seed,
            one.preset,
            plain(one.value),
            plain(one.paper),
            f"{one.parameters:,}",
            f"{one.images_seen:,}",
            f"{one.wall_seconds / 60:.1f}",
            one.commit[:10],
            f"`{one.command}`",
        )
        for one in results
    ]
    return markdown_table(head, rows)


def grouped(results: Sequence[Result], *names: str) -> list[list[Result]]:
    """The results by some of their fields, in the order in which these first appear."""
    groups: dict[tuple[str, ...], list[Result]] = defaultdict(list)
    for one in results:
        groups[tuple(getattr(one, name) for name in names)].append(one)
    return list(groups.values())


def main_presets(results: Sequence[Result]) -> dict[str, str]:
    """Of each recipe the preset with the most results, the first of several."""
    main: dict[str, list[Result]] = {}
    for group in grouped(results, "recipe", "preset"):
        if len(group) > len(main.get(group[0].recipe, [])):
            main[group[0].recipe] = group
    return {recipe: group[0].preset for recipe, group in main.items()}


def _main_first(results: Sequence[Result], main: Mapping[str, str]) -> list[Result]:
    recipes = list(main)
    return sorted(results, key=lambda one: (recipes.index(one.recipe), main[one.recipe] != one.preset))


def _within(results: Sequence[Result], papers: Mapping[str, float | None]) -> dict[str, float | None]:
    """The paper's numbers in rows and columns that have a result."""
    columns, rows = zip(*(names(one.cell) for one in results), strict=True)
    return {
        cell: paper for cell, paper in papers.items() if names(cell)[0] in columns and names(cell)[1] in rows
    }


def _table(results: Sequence[Result], papers: Mapping[str, float | None]) -> str:
    first = results[0]
    found = scores(results, papers)
    told = {cell: _cell(score, first.metric) for cell, score in found.items()}
    seen = _range([one.images_seen for one in results])
    minutes = _range([round(one.wall_seconds / 60) for one in results])
    beside = ""
    if any(score.paper is not None for score in found.values()):
        beside = ", the paper's in brackets, ours bold where it is at least as good"
    title = (
        f"`{first.recipe}`, preset `{first.preset}`: {first.metric}{beside} "
        f"({seen} images seen, {minutes} minutes a run).\n\n"
    )
    return title + cells_table(_HEADS.get(first.recipe, "network"), told) + _mixed(results)


def _mixed(results: Sequence[Result]) -> str:
    """Which cells have seeds that were not computed alike, as a line below their table; else nothing."""
    cells: dict[str, list[str]] = defaultdict(list)
    for seeds in grouped([one for one in results if one.products], "cell"):
        kinds = grouped(seeds, "products")
        if len(kinds) > 1:
            cells["; ".join(map(_type_of, kinds))].append(f"`{seeds[0].cell}`")
    lines = [f"{', '.join(names)}: {told}" for told, names in cells.items()]
    return f"\nNot all seeds were computed alike. Products of {'; of '.join(lines)}.\n" if lines else ""


def _type_of(seeds: Sequence[Result]) -> str:
    numbers = ", ".join(str(one.seed) for one in seeds)
    return f"{seeds[0].products} in {'seed' if len(seeds) == 1 else 'seeds'} {numbers}"


def _cell(score: Score, metric: str) -> str:
    paper = "" if score.paper is None else f"({score.paper:{'.1f' if is_error(metric) else '.4g'}})"
    if score.value is None:
        return f"- {paper}".strip()
    ours = f"{score.value:.2f}" if score.spread is None else f"{score.value:.2f} ± {score.spread:.2f}"
    return f"{f'**{ours}**' if score.reaches(metric) else ours} {paper}".strip()


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
