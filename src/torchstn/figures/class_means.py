"""The mean digit of each class before and after the transformer: how far it straightens, in one look."""

from matplotlib.figure import Figure
from torch import Tensor

from .panels import board, caption
from .style import INK, show_image


def class_means(images: Tensor, outputs: Tensor, labels: Tensor, *, side: float = 0.85) -> Figure:
    """Draws the mean input and the mean output of every class present.

    A mean over many poses is a blur; it is sharp where the transformer brings all of a class to one pose.
    Each mean is shown on its own scale, so that a faint blur can be compared with a sharp digit.

    Args:
        images: (n, c, h, w) inputs.
        outputs: (n, c, oh, ow) what the transformer made of them.
        labels: (n,) integer classes.
        side: Side of a panel in inches.

    Returns:
        A figure, drawn without a display.

    Raises:
        ValueError: If the three do not hold the same number of samples, or none.
    """
    if not len(images) == len(outputs) == len(labels) or len(labels) == 0:
        raise ValueError(
            "`images`, `outputs` and `labels` must hold the same number of samples, at least one, "
            f"got {len(images)}, {len(outputs)}, {len(labels)}."
        )
    classes = sorted(set(labels.tolist()))
    drawn = board(["mean\ninput", "mean\noutput"], len(classes), side=side, foot=0.25)
    for j, label in enumerate(classes):
        chosen = labels == label
        for i, batch in enumerate((images, outputs)):
            mean = batch[chosen].float().mean(0)
            show_image(drawn.panels[i][j], mean, top=max(float(mean.max()), 1e-6))
        caption(drawn.panels[1][j], str(label), colour=INK, size=10, bold=True)
    return drawn.figure
