"""The paper's figure 5: a volume, what the transformer made of it, its projection, what the network says."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor

from ..grid import Grid
from .panels import board, check_counts, head_columns, head_for, name_class
from .solid import draw_box, draw_cube, show_solid
from .style import show_image


def volume_figure(
    volumes: Tensor,
    grids: Grid | None,
    outputs: Tensor | None,
    pictures: Tensor | None,
    predictions: Sequence[int],
    labels: Sequence[int] | None = None,
    *,
    above: Sequence[str] | None = None,
    side: float = 1.3,
) -> Figure:
    """Draws one column a volume: input and the box read from it, output, projection, predicted class.

    Args:
        volumes: (n, 1, d, h, w) in [0, 1].
        grids: Where each output reads, affine, a batch of n; None for a network without a transformer.
        outputs: (n, 1, od, oh, ow) what the transformer made of them; None with `grids` None.
        pictures: (n, 1, ph, pw) what the classifier sees; None for one that sees volumes.
        predictions: The n classes the network names.
        labels: The n true classes; None if unknown.
        above: A line over each column, such as the mistake of another network.
        side: Side of a panel in inches.

    Returns:
        A figure, drawn without a display.

    Raises:
        ValueError: If there is no volume, or the numbers of the others differ.
    """
    if volumes.ndim != 5:
        raise ValueError(f"`volumes` must be (n, 1, d, h, w), got {tuple(volumes.shape)}.")
    check_counts(
        volumes, outputs=outputs, pictures=pictures, predictions=predictions, labels=labels, above=above
    )
    rows = ["input"] + ["output"] * (outputs is not None) + ["projection"] * (pictures is not None)
    drawn = board(rows, len(volumes), side=side, head=head_for(above), foot=0.3)
    head_columns(drawn, above)
    for k, volume in enumerate(volumes):
        column = iter([row[k] for row in drawn.panels])
        panel = next(column)
        show_solid(panel, volume)
        draw_cube(panel)
        if grids is not None and outputs is not None:
            draw_box(panel, grids, k)
            panel = next(column)
            show_solid(panel, outputs[k])
            draw_box(panel)
        if pictures is not None:
            panel = next(column)
            show_image(panel, pictures[k], top=max(float(pictures[k].max()), 1e-6))
        name_class(panel, predictions[k], None if labels is None else labels[k])
    return drawn.figure
