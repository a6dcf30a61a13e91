"""What cells cost, as Markdown."""

from collections.abc import Sequence

from ..figures.cells import cells_table
from .costs import Cost, Costs


def costs_table(machines: Sequence[Costs]) -> str:
    """One table a machine, recipe, preset with its changes, and number of threads.

    A row is a network, a column a data set; a cell says how many seconds 60,000 images take and, in
    brackets, how long the whole training does.
    """
    parts = [_table(costs.machine, group) for costs in machines for group in _grouped(costs.known)]
    return "\n".join(parts) or "No costs measured yet.\n"


def _three_digits(seconds: float) -> str:
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.3g}"


def duration(seconds: float) -> str:
    """A length of time, in the unit that suits it."""
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _grouped(costs: Sequence[Cost]) -> list[list[Cost]]:
    groups: dict[tuple[str, str, int, str], list[Cost]] = {}
    for cost in costs:
        groups.setdefault((cost.recipe, cost.preset, cost.threads, cost.changes), []).append(cost)
    return [groups[key] for key in sorted(groups)]


def _table(machine: str, costs: Sequence[Cost]) -> str:
    first = costs[0]
    told = {cost.cell: f"{_three_digits(cost.of_an_epoch)} ({duration(cost.seconds)})" for cost in costs}
    threads = "one thread" if first.threads == 1 else f"{first.threads} threads"
    changes = f" with {first.changes}" if first.changes else ""
    in_all = sum(cost.seconds for cost in costs)
    most = max((cost.memory for cost in costs if cost.memory), default=0)
    title = (
        f"`{first.recipe}`, preset `{first.preset}`{changes}, {threads} of {machine}: seconds for 60,000 "
        f"images, in brackets for the whole training. All together {duration(in_all)}, at most "
        f"{most / 1e9:.1f} GB a training.\n\n"
    )
    return title + cells_table("network", told)
