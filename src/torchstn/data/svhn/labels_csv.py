"""Reads labels.csv, the annotation of a folder or zip of one's own: a photograph a line."""

import csv
from collections.abc import Mapping
from typing import TextIO

from .annotation import Box, House


def read_labels(file: TextIO, *, name: str = "labels.csv") -> list[House]:
    """Reads every photograph's annotation.

    Args:
        file: The open file: a line of headings, with `file`, `digits` ("217") and one that starts with
            `boxes` ("left:top:width:height" in pixels, a "|" between two digits); others are passed over.
        name: What to call it in a refusal.

    Raises:
        ValueError: If a heading is missing or a line is wrong; names the line.
    """
    try:
        reader = csv.DictReader(file)
        headings, rows = list(reader.fieldnames or []), [(reader.line_num, row) for row in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{name}: this is not a CSV in UTF-8 ({error}).") from None
    boxes = next((one for one in headings if one.startswith("boxes")), None)
    if boxes is None or not {"file", "digits"} <= set(headings):
        raise ValueError(f"{name} must have the columns file, digits and boxes, got {', '.join(headings)}.")
    houses = []
    for number, row in rows:
        try:
            houses.append(_house(row, boxes))
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{name}, line {number}: {error}") from None
    return houses


def _house(row: Mapping[str, str], boxes: str) -> House:
    sides = [[float(side) for side in box.split(":")] for box in row[boxes].split("|")]
    if any(len(box) != 4 for box in sides):
        raise ValueError(f"each box must be left:top:width:height, got {row[boxes]!r}.")
    return House(row["file"], tuple(map(int, row["digits"])), tuple(Box(*box) for box in sides))
