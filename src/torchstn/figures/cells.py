"""Cells such as "rts/st-cnn-tps" as a table: a column a data set, a row for what was trained on it."""

import re
from collections.abc import Mapping

from .markdown import markdown_table

_COLUMNS = ("none", "r", "rts", "p", "e", "t", "tc")
_ROWS = (
    "fcn",
    "cnn",
    "st-fcn",
    "2xst-fcn",
    "st-cnn-single",
    "st-cnn-multi",
    "st-cnn",
    "2xst-cnn",
    "4xst-cnn",
    "st-deep",
)
_PIXELS = re.compile(r"(\d+)px")


def place(cell: str) -> tuple[int, int, str, int, str]:
    """Sorts the cells' columns, then rows, as the paper's tables have them, unknown ones last by name.

    What is read otherwise than usual comes after its data: "r-once/cnn" after "r/cnn"; sizes grow.
    """
    column, _, row = cell.rpartition("/")
    data = column.partition("-")[0]
    pixels = _PIXELS.fullmatch(data)
    networks = [rank for rank, name in enumerate(_ROWS) if row.startswith(name)]
    return (
        _COLUMNS.index(data) if data in _COLUMNS else len(_COLUMNS),
        int(pixels[1]) if pixels else 0,
        column,
        networks[0] if networks else len(_ROWS),
        row,
    )


def names(cell: str) -> tuple[str, str]:
    """Its column and its row, as the tables call them."""
    column, _, row = cell.rpartition("/")
    data, _, reading = column.partition("-")
    if pixels := _PIXELS.fullmatch(data):
        return f"{pixels[1]} pixels", row
    return f"{data if data == 'none' else data.upper() or 'all'} {reading}".rstrip(), row


def cells_table(head: str, told: Mapping[str, str]) -> str:
    """A Markdown table of what is told of each cell.

    Args:
        head: Of the column that names the rows.
        told: By cell.
    """
    columns = dict.fromkeys(names(cell)[0] for cell in sorted(told, key=lambda cell: place(cell)[:3]))
    rows = dict.fromkeys(names(cell)[1] for cell in sorted(told, key=lambda cell: place(cell)[3:]))
    texts = {names(cell): text for cell, text in told.items()}
    body = [(f"`{row}`", *(texts.get((column, row), "") for column in columns)) for row in rows]
    return markdown_table((head, *columns), body)
