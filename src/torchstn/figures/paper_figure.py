"""The paper's figure: what goes in, the grid it chose, what comes out, what the network says."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from ..grid import Grid
from .around import overshoot, show_around
from .lattice import draw_grid, frame_panel, turned_by
from .panels import board, check_counts, head_columns, head_for, name_class
from .style import FRAME, show_image


def paper_figure(
    images: Tensor,
    grids: Grid | None,
    outputs: Tensor | None,
    predictions: Sequence[int | str] | None = None,
    labels: Sequence[int | str] | None = None,
    *,
    above: Sequence[str] | None = None,
    turns: bool = False,
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
        above: A line over each column, such as the mistake of another network.
        turns: Whether to write on each grid by how many degrees it lies turned.
        cells: Cells of the lattice drawn along each axis.
        side: Side of a panel in inches.

    Returns:
        A figure, drawn without a display.

    Raises:
        ValueError: If there is no image, or the numbers of images, outputs and lines differ.
    """
    if images.ndim != 4:
        raise ValueError(f"`images` must be (n, c, h, w), got {tuple(images.shape)}.")
    check_counts(images, outputs=outputs, predictions=predictions, labels=labels, above=above)
    rows = ["input"] if grids is None or outputs is None else ["input", "grid", "output"]
    foot = 0.3 if predictions is not None else 0.0
    drawn = board(rows, len(images), side=side, head=head_for(above), foot=foot)
    head_columns(drawn, above)
    size = (images.shape[-2], images.shape[-1])
    margin = overshoot([] if grids is None else [grids], size)
    for k, image in enumerate(images):
        column = [row[k] for row in drawn.panels]
        show_image(column[0], image)
        if grids is not None and outputs is not None:
            show_around(column[1], image, margin)
            draw_grid(column[1], grids, k, size, cells=cells)
            show_image(column[2], outputs[k])
            frame_panel(column[2])
            if turns:
                _write_turn(column[1], turned_by(grids, k, size))
        if predictions is not None:
            name_class(column[-1], predictions[k], None if labels is None else labels[k])
    return drawn.figure


def _write_turn(panel: Axes, degrees: float) -> None:
    text = f"{degrees:.0f}°".replace("-", "\N{MINUS SIGN}")
    panel.text(0.05, 0.05, text, transform=panel.transAxes, fontsize=7.5, color=FRAME, fontweight="bold")
