"""How a training went: its metrics over its steps."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, StrMethodFormatter

from .style import INK, QUIET, RULE, SERIES, new_figure

NAMES = {"loss": "training", "error": "training", "validation_error": "held out"}
_APART = 100
"""So many epochs are dots that can be told apart."""


def curves(records: Sequence[Mapping[str, Any]]) -> Figure:
    """Draws the loss on the left and the errors on the right, each over the steps, with its last value.

    Args:
        records: One an epoch, as in metrics.jsonl: `step`, and any of loss, error, validation_error.

    Returns:
        A figure, drawn without a display.

    Raises:
        ValueError: If there is no record.
    """
    if not records:
        raise ValueError("`records` must hold at least one epoch, got none.")
    records = _whole_epochs(records)
    figure = new_figure(8.0, 2.9)
    left, right = figure.subplots(1, 2, gridspec_kw={"wspace": 0.28})
    figure.subplots_adjust(left=0.07, right=0.93, top=0.87, bottom=0.17)
    _plot(left, "loss", records, ["loss"])
    _plot(right, "error (%)", records, ["error", "validation_error"])
    return figure


def _plot(axes: Axes, title: str, records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    _quiet(axes)
    present = [name for name in names if any(name in record for record in records)]
    # Where two curves end close together, the upper one's number goes up and the lower one's down.
    lifts = dict(zip(sorted(present, key=lambda name: _last(records, name)), (-4, 4), strict=False))
    for colour, name in zip(SERIES, present, strict=False):
        points = [(record["step"], record[name]) for record in records if name in record]
        steps, values = zip(*points, strict=True)
        dots = "o" if len(steps) <= _APART else ""
        axes.plot(steps, values, color=colour, linewidth=1.5, marker=dots, markersize=2.5, label=NAMES[name])
        axes.annotate(
            f"{values[-1]:.3g}",
            (steps[-1], values[-1]),
            xytext=(5, lifts[name] if len(present) > 1 else 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=colour,
            annotation_clip=False,
        )
    axes.set_title(title, loc="left", fontsize=9, color=INK, fontweight="bold")
    axes.set_xlabel("step", fontsize=8, color=QUIET)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    if all(value > 0 for record in records for name in present for value in [record.get(name, 1.0)]):
        axes.set_yscale("log")
        for axis_format in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            axis_format(FuncFormatter(_plain))
    if len(present) > 1:
        axes.legend(frameon=False, fontsize=8, labelcolor="linecolor", handlelength=0)


def _whole_epochs(records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Without the few steps after the last whole epoch: so small a sample would end the curve in a jump."""
    steps = [record["step"] for record in records[-3:]]
    return records[:-1] if len(steps) == 3 and 2 * (steps[2] - steps[1]) < steps[1] - steps[0] else records


def _last(records: Sequence[Mapping[str, Any]], name: str) -> float:
    return next(float(record[name]) for record in reversed(records) if name in record)


def _plain(value: float, _: int | None) -> str:
    """A tick as one reads it aloud: 0.5 and 20, and only 1, 2 and 5 of each decade, lest they touch."""
    return f"{value:g}" if f"{value:e}"[0] in "125" else ""


def _quiet(axes: Axes) -> None:
    axes.grid(True, color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, colors=QUIET, which="both")
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(RULE)
