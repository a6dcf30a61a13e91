"""An image with a margin around it, wide enough for the grids that leave it."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from ..grid import Grid
from .lattice import pixel_points
from .style import show_image

OUTSIDE = "#3a424b"
_WIDEST = 0.22


def overshoot(grids: Iterable[Grid], size: tuple[int, int]) -> float:
    """How far grids leave images of `size` (h, w), as a share of its side, within bounds; 0 without grids."""
    points = [pixel_points(grid, k, size).reshape(-1, 2) for grid in grids for k in range(grid.batch)]
    if not points:
        return 0.0
    sides = np.array([size[1], size[0]])
    every = np.concatenate(points)
    beyond = np.maximum(-0.5 - every, every + 0.5 - sides) / sides
    return float(np.clip(np.nanmax(beyond, initial=0.0), 0.05, _WIDEST)) + 0.02


def show_around(axes: Axes, image: Tensor, margin: float) -> None:
    """Shows an image with `margin` of its sides around it, in a grey that is no part of it."""
    h, w = image.shape[-2:]
    show_image(axes, image)
    axes.set_facecolor(OUTSIDE)
    axes.set_xlim(-0.5 - margin * w, w - 0.5 + margin * w)
    axes.set_ylim(h - 0.5 + margin * h, -0.5 - margin * h)
