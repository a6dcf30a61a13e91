"""Draws docs/images/conventions.svg: what -1 and 1 mean, and which way a grid maps.

Run from the repository: .venv/bin/python docs/draw_conventions.py
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Polygon, Rectangle

INK, GREY, BLUE, ORANGE, PALE = "#222222", "#8a8a8a", "#0072b2", "#d55e00", "#eef3f8"
TARGET = Path(__file__).parent / "images" / "conventions.svg"


def pixel_row(axes: Axes, pixels: int, align_corners: bool) -> None:
    """One row of pixels with the normalised coordinate of every centre, and where -1 and 1 lie."""
    for column in range(pixels):
        axes.add_patch(Rectangle((column - 0.5, 0), 1, 1, facecolor=PALE, edgecolor=GREY, linewidth=1))
        axes.plot(column, 0.4, "o", color=INK, markersize=4)
        axes.text(column, 1.08, f"column {column}", ha="center", fontsize=8, color=GREY)
        value = (2 * column + 1 - pixels) / (pixels - 1 if align_corners else pixels)
        axes.text(column, 0.66, f"{value:+.2f}", ha="center", fontsize=8.5, color=INK)
    for end, at in ((-1, 0 if align_corners else -0.5), (1, pixels - 1 if align_corners else pixels - 0.5)):
        axes.plot([at, at], [-0.3, 1.0 if not align_corners else 0.4], color=BLUE, linewidth=1.4, zorder=3)
        axes.text(at, -0.36, f"x = {end}", ha="center", va="top", fontsize=9.5, color=BLUE)
    where = "centres" if align_corners else "outer edges"
    default = "" if align_corners else " (default)"
    title = f"align_corners={align_corners}{default}\n-1 and 1: {where} of the end pixels"
    axes.set_title(title, fontsize=10, color=INK)
    axes.set(xlim=(-0.9, pixels - 0.1), ylim=(-0.75, 1.3))
    axes.axis("off")


def square(axes: Axes, title: str) -> None:
    """An image in normalised coordinates, y downwards."""
    axes.add_patch(Rectangle((-1, -1), 2, 2, facecolor=PALE, edgecolor=GREY, linewidth=1))
    axes.set(xlim=(-1.25, 1.25), ylim=(1.25, -1.25), aspect="equal")
    axes.set_title(title, fontsize=10, color=INK)
    axes.annotate("", (-0.55, -0.93), (-0.97, -0.93), arrowprops={"arrowstyle": "->", "color": INK})
    axes.annotate("", (-0.93, -0.55), (-0.93, -0.97), arrowprops={"arrowstyle": "->", "color": INK})
    axes.text(-0.5, -0.93, "x", fontsize=9, va="center", color=INK)
    axes.text(-0.93, -0.44, "y", fontsize=9, ha="center", color=INK)
    axes.axis("off")


def draw() -> Figure:
    """The whole diagram."""
    figure = Figure(figsize=(8.6, 5.6), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.15, 1.6))
    for axes, align_corners in zip(top.subplots(1, 2), (False, True), strict=True):
        pixel_row(axes, 4, align_corners)

    source, output = bottom.subplots(1, 2)
    square(source, "input")
    square(output, "output")
    theta = np.array([[0.5, -0.3, 0.2], [0.3, 0.5, 0.1]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    quad = corners @ theta[:, :2].T + theta[:, 2]
    source.add_patch(Polygon(quad, facecolor="none", edgecolor=ORANGE, linewidth=1.6))
    output.add_patch(Rectangle((-1, -1), 2, 2, facecolor="none", edgecolor=ORANGE, linewidth=1.6))
    for corner in np.array([[-1, -1], [1, 1], [0.2, -0.4]]):
        read = theta[:, :2] @ corner + theta[:, 2]
        source.plot(*read, "o", color=ORANGE, markersize=5)
        output.plot(*corner, "o", color=ORANGE, markersize=5)
        style = {"arrowstyle": "-|>", "color": ORANGE, "linewidth": 1, "alpha": 0.75}
        bottom.add_artist(ConnectionPatch(corner, read, "data", "data", axesA=output, axesB=source, **style))
    caption = "theta takes every output point to the point of the input that it reads"
    bottom.text(0.5, 0.02, caption, ha="center", fontsize=10, color=ORANGE)
    return figure


if __name__ == "__main__":
    with mpl.rc_context({"svg.hashsalt": "torchstn", "svg.fonttype": "path"}):
        draw().savefig(TARGET, metadata={"Date": None, "Creator": None})
    print(TARGET)
