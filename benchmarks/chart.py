"""The chart of the README: how many times faster than its peers, one thread."""

from io import BytesIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from torchstn.training import atomic_write

from .case import PASSES, Case
from .record import Json
from .table import measured

INK, QUIET, RULE, PAPER = "#1b1f24", "#667079", "#d7dce1", "#ffffff"
COLOURS = {"forward": "#0072b2", "both": "#d55e00"}


def draw(record: Json, folder: Path) -> list[Path]:
    """Writes speed.png and speed.svg; an opaque white ground keeps them readable on dark pages.

    Returns:
        The paths, none if no case with a target was measured on one thread.
    """
    rows = [(case, found) for case, entry in measured(record) if (found := _reached(entry))]
    if not rows:
        return []
    figure = _figure(rows, record["machine"])
    paths = []
    for kind in ("png", "svg"):
        buffer = BytesIO()
        figure.savefig(buffer, format=kind, dpi=160, metadata={"Date": None} if kind == "svg" else None)
        text = buffer.getvalue()
        if kind == "svg":  # no trailing blanks in a tracked text file
            text = b"\n".join(line.rstrip() for line in text.splitlines()) + b"\n"
        paths.append(folder / f"speed.{kind}")
        atomic_write(paths[-1], text)
    return paths


def _reached(entry: Json) -> Json:
    return {which: found for which, found in entry["targets"].items() if found["reached"] is not None}


def _figure(rows: list[tuple[Case, Json]], machine: str) -> Figure:
    mpl.rcParams["svg.hashsalt"] = "torchstn"
    figure = Figure(figsize=(8.6, 1.5 + 0.46 * len(rows)), facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor=PAPER)
    for place, (_, found) in enumerate(rows):
        for which, shift in zip(PASSES, (-0.19, 0.19), strict=True):
            if which in found:
                _bar(axes, place + shift, found[which], COLOURS[which])
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_yticks(range(len(rows)), [_label(case) for case, _ in rows], fontsize=8.5, color=INK)
    axes.set_ylim(len(rows) - 0.5, -0.6)
    _scale(axes, [found[which]["reached"] for _, found in rows for which in found])
    _words(figure, axes, machine)
    return figure


def _bar(axes: Axes, place: float, found: Json, colour: str) -> None:
    reached = found["reached"]
    axes.barh(place, reached - 1, left=1, height=0.34, color=colour)
    axes.plot(found["wanted"], place, marker="|", color=INK, markersize=8, markeredgewidth=1.4)
    text = f"{reached:.0f}x" if reached >= 10 else f"{reached:.2g}x"
    axes.annotate(
        text,
        (max(reached, 1, found["wanted"] if found["wanted"] < reached * 1.5 else 0), place),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color=INK,
    )


def _label(case: Case) -> str:
    peer = case.target.peer if case.target else ""
    against = "grid_sample alone" if case.family == "points" else peer
    return case.title if against in ("", "torch") else f"{case.title}\nagainst {against}"


def _scale(axes: Axes, values: list[float]) -> None:
    low, high = min(0.7, *values), max(12, *values)
    axes.set_xscale("log")
    axes.set_xlim(low * 0.9, high * 1.8)
    ticks = [
        tick for tick in (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200) if low * 0.9 < tick < high * 1.8
    ]
    axes.set_xticks(ticks, [f"{tick:g}x" for tick in ticks], fontsize=8.5, color=QUIET)
    axes.minorticks_off()
    axes.tick_params(length=0)
    axes.grid(axis="x", color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)


def _words(figure: Figure, axes: Axes, machine: str) -> None:
    figure.suptitle(
        "Times faster than F.affine_grid + F.grid_sample, or the peer named; one thread, logarithmic",
        fontsize=11,
        color=INK,
        fontweight="bold",
    )
    handles = [
        Patch(color=COLOURS["forward"], label="forward"),
        Patch(color=COLOURS["both"], label="forward + backward"),
        Line2D([], [], color=INK, marker="|", linestyle="", markersize=8, label="what was aimed at"),
    ]
    axes.legend(
        handles=handles, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, frameon=False, fontsize=8.5
    )
    axes.set_xlabel(machine.split(", Linux", maxsplit=1)[0], fontsize=7.5, color=QUIET)
