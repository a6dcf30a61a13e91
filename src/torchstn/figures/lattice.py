"""Where an output reads, drawn on the image it reads from."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from ..grid import Grid
from .style import FRAME, LATTICE

Line = NDArray[np.float64]
SIDES = (2.0, 0.9, 0.9, 0.9)


def pixel_points(grid: Grid, index: int, input_size: tuple[int, int]) -> Line:
    """The points of one grid in pixels of the input, pixel (i, j) centred on (j, i).

    Args:
        grid: Any grid of two dimensions.
        index: Which of the batch.
        input_size: (h, w) of the image the grid reads from.

    Returns:
        (h, w, 2) points (x, y) of the output's size; a point that reads nowhere is NaN.
    """
    points = grid.points()[index].detach().to("cpu").double().numpy()
    size = np.array([input_size[1], input_size[0]], dtype=np.float64)
    pixels: Line = (points + 1) / 2 * (size - 1) if grid.align_corners else ((points + 1) * size - 1) / 2
    return np.where(np.isfinite(pixels), pixels, np.nan)


def lattice_lines(points: Line, cells: int = 8) -> tuple[list[Line], list[Line]]:
    """Splits a field of points into the lines to draw.

    Args:
        points: (h, w, 2).
        cells: How many cells to show along each axis, evenly spaced.

    Returns:
        The inner lines, rows first, and the four sides of the frame in the order top, right, bottom, left.
    """
    rows, columns = points, points.swapaxes(0, 1)
    inner = [_line(family, k / cells) for family in (rows, columns) for k in range(1, cells)]
    return inner, [rows[0], columns[-1], rows[-1], columns[0]]


def draw_grid(
    axes: Axes, grid: Grid, index: int, input_size: tuple[int, int], *, cells: int = 8, colour: str = FRAME
) -> None:
    """Draws one grid on the image shown in `axes`: the lattice, its frame, and a heavier top side.

    The top side is that of the output, so a turned or mirrored frame reads at a glance.

    Args:
        axes: Axes that show the input in pixels.
        grid: Any grid of two dimensions.
        index: Which of the batch.
        input_size: (h, w) of the image shown.
        cells: Cells shown along each axis; 1 draws the frame alone.
        colour: Of the frame.
    """
    inner, frame = lattice_lines(pixel_points(grid, index, input_size), cells)
    axes.add_collection(LineCollection(inner, colors=LATTICE, linewidths=0.55, alpha=0.85), autolim=False)
    axes.add_collection(
        LineCollection(frame, colors=colour, linewidths=SIDES, capstyle="round"), autolim=False
    )


def frame_panel(axes: Axes, colour: str = FRAME) -> None:
    """Gives the panel that shows an output the frame its grid has on the input."""
    for side, width in zip(("top", "right", "bottom", "left"), SIDES, strict=True):
        axes.spines[side].set(visible=True, color=colour, linewidth=width)


def turned_by(grid: Grid, index: int, input_size: tuple[int, int]) -> float:
    """By how many degrees a grid lies turned on the image, clockwise as one looks.

    It is the rotation nearest to the grid's linear part, the one of its polar decomposition unless it
    mirrors; of a grid that is not affine, to that of its best affine fit.

    Args:
        grid: Any grid of two dimensions.
        index: Which of the batch.
        input_size: (h, w) of the image the grid reads from.

    Returns:
        In (-180, 180]; NaN where the grid reads nowhere.
    """
    points = pixel_points(grid, index, input_size).reshape(-1, 2)
    read = np.isfinite(points).all(1)
    if not read.any():
        return math.nan
    rows, columns = np.divmod(np.flatnonzero(read), grid.size[1])
    lattice = np.stack((columns, rows, np.ones(len(rows))), axis=1)
    (xx, yx), (xy, yy), _ = np.linalg.lstsq(lattice, points[read], rcond=None)[0]
    return math.degrees(math.atan2(yx - xy, xx + yy))


def _line(field: Line, share: float) -> Line:
    """The line a share of the way through the field, between its two nearest rows."""
    position = share * (len(field) - 1)
    below = int(position)
    above = min(below + 1, len(field) - 1)
    line: Line = field[below] + (position - below) * (field[above] - field[below])
    return line
