"""The paper's table 4, right: two digits in two channels, what each transformer makes of them, their sum."""

from collections.abc import Sequence

import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import Tensor

from .panels import board, check_counts, head_columns, head_for, name_class
from .style import LATTICE, show_image

_BAR = 2  # pixels of the pictures


def addition_figure(
    images: Tensor,
    outputs: Tensor | None,
    predictions: Sequence[int] | None = None,
    labels: Sequence[int] | None = None,
    *,
    above: Sequence[str] | None = None,
    side: float = 0.8,
) -> Figure:
    """Draws one column a pair: input, each transformer's output, and the predicted sum below.

    The two channels of a picture stand side by side, a bar between them.

    Args:
        images: (n, 2, h, w) in [0, 1].
        outputs: (n, 2 * transformers, h, w) what they made of them; None without a transformer.
        predictions: The n sums the network names; None writes no line.
        labels: The n true sums; where one differs from the prediction the line says so. None if unknown.
        above: A line over each column, such as the mistake of another network.
        side: Height of a panel in inches.

    Returns:
        A figure, drawn without a display.

    Raises:
        ValueError: If there is no image, or the numbers of images, outputs and lines differ.
    """
    check_counts(images, outputs=outputs, predictions=predictions, labels=labels, above=above)
    stages = [images] if outputs is None else [images, *outputs.split(2, 1)]
    names = ["output"] if len(stages) == 2 else [f"output {k}" for k in range(1, len(stages))]
    h, w = images.shape[-2:]
    drawn = board(
        ["input", *names],
        len(images),
        side=side,
        wide=(2 * w + _BAR) / h,
        gap=0.12,
        head=head_for(above),
        foot=0.3,
    )
    head_columns(drawn, above)
    for panels, pictures in zip(drawn.panels, stages, strict=True):
        for panel, picture in zip(panels, pictures, strict=True):
            show_image(panel, barred(picture))
    for k, panel in enumerate(drawn.panels[-1]):
        if predictions is not None:
            name_class(panel, predictions[k], None if labels is None else labels[k])
    return drawn.figure


def barred(picture: Tensor) -> Tensor:
    """Two grey channels (2, h, w) side by side in colour (3, h, 2 w + bar), a bar between them."""
    bar = torch.tensor(to_rgb(LATTICE))[:, None, None].expand(3, picture.shape[1], _BAR)
    left, right = (channel.detach().cpu().float().expand(3, -1, -1) for channel in picture)
    return torch.cat([left, bar, right], 2)
