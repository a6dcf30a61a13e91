"""The paper's figure: what goes in, the grid it chose, what comes out, what the network says."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from ..grid import Grid
from .lattice import draw_grid, frame_panel, pixel_points
from .panels import board, name_class
from .style import show_image

OUTSIDE = "#3a424b"
_WIDEST = 0.22


def paper_figure(
    images: Tensor,
    grids: Grid | None,
    outputs: Tensor | None,
    predictions: Sequence[int | str] | None = None,
    labels: Sequence[int | str] | None = None,
    *,
    cells: int = 8,
    side: float = 1.05,
) -> Figure:
    """Draws one column an image: input, grid on the input, output, and the predicted class below.

    Args:
        images: (n, c, h, w) in [0, 1], c 1 or 3.
        grids: Where each output reads, a batch of n; None for a network without a transformer.
        outputs: (n, c, oh, ow) what the transformer made of them; None with `grids` None.
        predictions: The n classes the network names; None writes no line.
        labels: The n true classes; where one differs from the prediction the line says so. None if unknown.
        cells: Cells of the lattice drawn along each axis.
        side: Side of a panel in inches.

    Returns:
        A figure, drawn without a display.

    Raises:
        ValueError: If there is no image, or the numbers of images, outputs, predictions and labels differ.
    """
    check_counts(images, outputs, predictions, labels)
    rows = ["input"] if grids is None or outputs is None else ["input", "grid", "output"]
    drawn = board(rows, len(images), side=side, foot=0.3 if predictions is not None else 0.0)
    margin = 0.0 if grids is None else _overshoot(grids, (images.shape[-2], images.shape[-1]))
    for k, image in enumerate(images):
        column = [row[k] for row in drawn.panels]
        show_image(column[0], image)
        if grids is not None and outputs is not None:
            _show_grid(column[1], image, grids, k, cells, margin)
            _show_output(column[2], outputs[k])
        if predictions is not None:
            name_class(column[-1], predictions[k], None if labels is None else labels[k])
    return drawn.figure


def _overshoot(grids: Grid, size: tuple[int, int]) -> float:
    """How far the grids leave the image, as a share of its side, within bounds: what to show around it."""
    points = np.stack([pixel_points(grids, k, size) for k in range(grids.batch)])
    sides = np.array([size[1], size[0]])
    beyond = np.maximum(-0.5 - points, points + 0.5 - sides) / sides
    return float(np.clip(np.nanmax(beyond, initial=0.0), 0.05, _WIDEST)) + 0.02


def _show_grid(panel: Axes, image: Tensor, grids: Grid, k: int, cells: int, margin: float) -> None:
    h, w = image.shape[-2:]
    show_image(panel, image)
    panel.set_facecolor(OUTSIDE)
    panel.set_xlim(-0.5 - margin * w, w - 0.5 + margin * w)
    panel.set_ylim(h - 0.5 + margin * h, -0.5 - margin * h)
    draw_grid(panel, grids, k, (h, w), cells=cells)


def _show_output(panel: Axes, output: Tensor) -> None:
    show_image(panel, output)
    frame_panel(panel)


def check_counts(images: Tensor, outputs: Tensor | None, *others: Sequence[int | str] | None) -> None:
    """Refuses no image, and outputs, predictions or labels of another number."""
    if images.ndim != 4 or len(images) == 0:
        raise ValueError(f"`images` must be (n, c, h, w) with n >= 1, got {tuple(images.shape)}.")
    for name, given in zip(("outputs", "predictions", "labels"), (outputs, *others), strict=True):
        if given is not None and len(given) != len(images):
            raise ValueError(f"`{name}` must have one entry an image, {len(images)}, got {len(given)}.")
