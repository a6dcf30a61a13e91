"""A board of equal panels with labelled rows: the skeleton of most pictures here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from .style import INK, QUIET, WRONG, bare, new_figure

_LINE = 16
"""Letters of two names that go on one line."""


@dataclass(frozen=True)
class Board:
    """A figure and its panels, addressed [row][column]."""

    figure: Figure
    panels: list[list[Axes]]


def board(
    rows: list[str],
    columns: int,
    *,
    side: float = 1.0,
    wide: float = 1.0,
    gap: float = 0.08,
    head: float = 0.0,
    foot: float = 0.0,
    margin: float = 0.12,
    label_width: float = 0.72,
) -> Board:
    """Lays out one row of panels per label.

    Args:
        rows: The labels, top to bottom; an empty one draws none.
        columns: Panels in a row.
        side: Height of a panel in inches.
        wide: Its width over its height.
        gap: Space between panels in inches.
        head: Space kept free above the panels in inches.
        foot: Space kept free below the panels in inches.
        margin: Space around everything in inches.
        label_width: Width of the column of labels in inches; none is kept when every label is empty.

    Returns:
        The board, its panels bare.
    """
    left = margin + (label_width if any(rows) else 0.0)
    broad = side * wide
    width = left + columns * broad + (columns - 1) * gap + margin
    height = margin + head + len(rows) * side + (len(rows) - 1) * gap + foot + margin
    figure = new_figure(width, height)
    panels = []
    for i, label in enumerate(rows):
        bottom = height - margin - head - side - i * (side + gap)
        figure.text(
            (left - 0.1) / width,
            (bottom + side / 2) / height,
            label,
            ha="right",
            va="center",
            fontsize=8.5,
            color=INK,
        )
        panels.append(
            [
                bare(
                    figure.add_axes(
                        ((left + j * (broad + gap)) / width, bottom / height, broad / width, side / height)
                    )
                )
                for j in range(columns)
            ]
        )
    return Board(figure, panels)


def caption(
    panel: Axes,
    text: str,
    *,
    above: bool = False,
    align: Literal["left", "center", "right"] = "center",
    colour: str = QUIET,
    size: float = 8.5,
    bold: bool = False,
) -> None:
    """Writes one line under (or above) a panel."""
    panel.annotate(
        text,
        xy=({"left": 0.0, "center": 0.5, "right": 1.0}[align], 1.0 if above else 0.0),
        xycoords="axes fraction",
        xytext=(0, 4 if above else -4),
        textcoords="offset points",
        ha=align,
        va="bottom" if above else "top",
        fontsize=size,
        color=colour,
        fontweight="bold" if bold else "normal",
        annotation_clip=False,
    )


def name_class(panel: Axes, prediction: int | str, label: int | str | None) -> None:
    """Writes the class a network names under a panel, and the true one where it is known and another."""
    if label is None or str(prediction) == str(label):
        caption(panel, str(prediction), colour=INK if label is not None else QUIET, size=10, bold=True)
    else:
        caption(panel, mistake(prediction, label), colour=WRONG, size=9, bold=True)


def mistake(prediction: int | str, label: int | str) -> str:
    """What is written under a panel where the two differ; of long names one below the other."""
    joint = "\n" if len(f"{prediction}{label}") > _LINE else " "
    return f"{prediction},{joint}is {label}"


def head_for(above: Sequence[str] | None) -> float:
    """The space in inches to keep free above the panels for what `head_columns` writes."""
    return 0.0 if above is None else 0.2


def head_columns(drawn: Board, above: Sequence[str] | None) -> None:
    """Writes a line over each column, such as the mistake of another network; None writes nothing."""
    for panel, text in zip(drawn.panels[0], above or (), strict=False):
        caption(panel, text, above=True, colour=WRONG, size=8)


def check_counts(images: Tensor, **others: Sequence[Any] | Tensor | None) -> None:
    """Refuses to draw nothing, and what goes with images but has another number of entries."""
    if len(images) == 0:
        raise ValueError("`images` must hold at least one image, got none.")
    for name, given in others.items():
        if given is not None and len(given) != len(images):
            raise ValueError(f"`{name}` must have one entry an image, {len(images)}, got {len(given)}.")
