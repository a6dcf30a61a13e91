"""What a training or an evaluation came to, as a table for people and as JSON for files."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

_MISTAKES = 10
_MANY = 12
"""More columns than this do not fit a terminal with lines between them."""


def result_json(record: Mapping[str, Any]) -> str:
    """A result record as it is kept in a file."""
    return json.dumps(dict(record), indent=2) + "\n"


def result_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """Result records side by side, the paper's number beside ours."""
    table = Table(title_justify="left", header_style="bold")
    table.add_column("network", no_wrap=True)
    for name in (records[0]["metric"], "paper", "parameters", "images seen", "minutes"):
        table.add_column(name, justify="right")
    for record in records:
        paper = record["paper"]
        table.add_row(
            record["cell"],
            f"{record['value']:.2f}",
            "" if paper is None else f"{paper:g}",
            f"{record['parameters']:,}",
            f"{record['images_seen']:,}",
            f"{record['wall_seconds'] / 60:.1f}",
        )
    return table


def confusion_table(confusion: Sequence[Sequence[int]], classes: Sequence[str] = ()) -> Table:
    """How often each class (row) was taken for each other (column); zeros are left out.

    Args:
        confusion: The counts.
        classes: Names of the classes; default, their numbers.
    """
    names = classes or [str(k) for k in range(len(confusion))]
    table = Table(title="What each class was taken for", title_justify="left", header_style="bold")
    if len(confusion) > _MANY:
        table.box, table.padding = None, (0, 0, 0, 1)
    table.add_column("", style="bold")
    for name in names:
        table.add_column(escape(name), justify="right")
    for label, row in enumerate(confusion):
        cells = [
            "" if count == 0 else f"[dim]{count}[/]" if label == other else f"[bold]{count}[/]"
            for other, count in enumerate(row)
        ]
        table.add_row(escape(names[label]), *cells)
    return table


def mistakes_table(confusion: Sequence[Sequence[int]], classes: Sequence[str] = ()) -> Table:
    """The commonest mistakes, one row each; arguments as of `confusion_table`."""
    names = classes or [str(k) for k in range(len(confusion))]
    pairs = [
        (count, names[label], names[other])
        for label, row in enumerate(confusion)
        for other, count in enumerate(row)
        if count and other != label
    ]
    table = Table(title="The commonest mistakes", title_justify="left", header_style="bold")
    for name in ("is", "was taken for"):
        table.add_column(name)
    table.add_column("times", justify="right")
    for count, label, other in sorted(pairs, key=lambda pair: -pair[0])[:_MISTAKES]:
        table.add_row(escape(label), escape(other), str(count))
    return table


def parts_table(parts: Sequence[Mapping[str, Mapping[str, Mapping[str, float]]]]) -> Table:
    """What of birds transformers have in their boxes, beside what boxes that do not move would have."""
    title = "Visible parts of birds inside the box (%)"
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("transformer", style="bold")
    for name in ("parts", "box", "inside", "birds with all inside", "distance to their middle (% of side)"):
        table.add_column(name, justify="left" if name in ("parts", "box") else "right")
    for k, kinds in enumerate(parts, 1):
        for kind, ways in kinds.items():
            for way, seen in ways.items():
                table.add_row(str(k), kind, way, *(f"{number:.1f}" for number in seen.values()))
    return table


def length_table(by_length: Mapping[str, Mapping[str, float]]) -> Table:
    """How often numbers of each length are misread, one row a length."""
    table = Table(title="By the count of digits", title_justify="left", header_style="bold")
    for name in ("digits", "numbers", "error (%)"):
        table.add_column(name, justify="right")
    for length, seen in by_length.items():
        table.add_row(length, f"{seen['count']:,}", f"{seen['error']:.1f}")
    return table


def straightness_table(before: Sequence[float], after: Sequence[Sequence[float]]) -> Table:
    """How much of the variance is explained by the digit in each channel, before and after transformers."""
    title = "Variance explained by which digit it is"
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("", style="bold")
    for channel in range(len(before)):
        table.add_column(f"channel {channel + 1}" if len(before) > 1 else "", justify="right")
    table.add_row("input", *(f"{share:.1%}" for share in before))
    for k, shares in enumerate(after):
        cells = [f"[bold]{share:.1%}[/]" if share == max(shares) else f"{share:.1%}" for share in shares]
        table.add_row(f"output {k + 1}" if len(after) > 1 else "output", *cells)
    return table


def view_table(view: Mapping[str, Mapping[str, float]]) -> Table:
    """From where digits in space are seen, one row a view."""
    table = Table(title="How digits are seen", title_justify="left", header_style="bold")
    table.add_column("", style="bold")
    for name in next(iter(view.values())):
        table.add_column(name, justify="right")
    for name, numbers in view.items():
        table.add_row(name, *(f"{number:.1f}" for number in numbers.values()))
    return table
