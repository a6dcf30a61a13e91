"""A table as Markdown, and numbers as they stand in one."""

from collections.abc import Iterable


def markdown_table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Lines of a Markdown table, each ended."""
    names = [str(name) for name in head]
    lines = [names, ["---"] * len(names), *([str(value) for value in row] for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def plain(value: float | None) -> str:
    """A number with the digits it has; None is nothing."""
    return "" if value is None else f"{value:g}"
