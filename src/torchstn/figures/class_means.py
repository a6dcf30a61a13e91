"""The mean digit of each class before and after the transformers: how far they straighten, in one look."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from torch import Tensor

from .panels import board, caption
from .style import INK, show_image


def class_means(rows: Mapping[str, Tensor], *, side: float = 0.85) -> Figure:
    """Draws mean pictures, a row a stage and a column a class.

    A mean over many poses is a blur; it is sharp where a transformer brings all of a class to one pose.
    Each mean is shown on its own scale, so that a faint blur can be compared with a sharp digit.

    Args:
        rows: By its label, the means of each row: (classes, h, w), one for each class from 0 on.
        side: Side of a panel in inches.

    Returns:
        A figure, drawn without a display.

    Raises:
        ValueError: If there is no row, or they are not of equally many classes.
    """
    counts = {len(means) for means in rows.values()}
    if len(counts) != 1:
        raise ValueError(f"`rows` must hold means of equally many classes each, got {sorted(counts)}.")
    classes = counts.pop()
    drawn = board(list(rows), classes, side=side, foot=0.25, label_width=0.2 + 0.065 * _longest(rows))
    for panels, means in zip(drawn.panels, rows.values(), strict=True):
        for panel, mean in zip(panels, means, strict=True):
            show_image(panel, mean[None], top=max(float(mean.max()), 1e-6))
    for label, panel in enumerate(drawn.panels[-1]):
        caption(panel, str(label), colour=INK, size=10, bold=True)
    return drawn.figure


def _longest(labels: Mapping[str, Tensor]) -> int:
    return max(len(line) for label in labels for line in label.splitlines())
