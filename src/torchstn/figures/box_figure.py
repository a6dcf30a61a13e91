"""Where one or several transformers look: the outline of each on the input, and what each sees there."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor

from ..grid import Grid
from .around import overshoot, show_around
from .lattice import draw_grid, frame_panel
from .panels import board, check_counts, head_columns, head_for, mistake, name_class
from .style import FRAME, show_image

COLOURS = (FRAME, "#56b4e9", "#cc79a7", "#009e73")


def box_figure(
    images: Tensor,
    grids: Sequence[Grid],
    outputs: Sequence[Tensor],
    predictions: Sequence[int | str] | None = None,
    labels: Sequence[int | str] | None = None,
    *,
    above: Sequence[str] | None = None,
    side: float = 1.05,
) -> Figure:
    """Draws one column an image: the input with a box for each transformer, then their outputs.

    Each transformer has a colour, which its box and its output's frame share. An image of neither one nor
    three channels is shown channel by channel, in rows of their own.

    Args:
        images: (n, c, h, w) in [0, 1].
        grids: Where each of the transformers reads, batches of n.
        outputs: (n, c, oh, ow) what each made of the images.
        predictions: The n classes the network names; None writes no line.
        labels: The n true classes; where one differs from the prediction the line says so. None if unknown.
        above: A line over each column, or None.
        side: Side of a panel in inches.

    Returns:
        A figure, drawn without a display.

    Raises:
        ValueError: If there is no image, or the numbers of images, outputs and classes differ, or there are
            more transformers than colours.
    """
    _check(images, grids, outputs)
    check_counts(images, predictions=predictions, labels=labels, above=above)
    size = (images.shape[-2], images.shape[-1])
    rows = _names("input", images)
    for k, part in enumerate(outputs):
        rows += _names("output" if len(outputs) == 1 else f"output {k + 1}", part)
    drawn = board(rows, len(images), side=side, head=head_for(above), foot=_foot(predictions, labels))
    head_columns(drawn, above)
    margin = overshoot(grids, size)
    for k in range(len(images)):
        column = [row[k] for row in drawn.panels]
        panels = iter(column)
        for channel in _shown(images[k]):
            panel = next(panels)
            show_around(panel, channel, margin)
            for grid, colour in zip(grids, COLOURS, strict=False):
                draw_grid(panel, grid, k, size, cells=1, colour=colour)
        for part, colour in zip(outputs, COLOURS, strict=False):
            for channel in _shown(part[k]):
                panel = next(panels)
                show_image(panel, channel)
                frame_panel(panel, colour)
        if predictions is not None:
            name_class(column[-1], predictions[k], None if labels is None else labels[k])
    return drawn.figure


def _check(images: Tensor, grids: Sequence[Grid], outputs: Sequence[Tensor]) -> None:
    if not 1 <= len(grids) == len(outputs) <= len(COLOURS):
        raise ValueError(
            f"`grids` and `outputs` must have one entry each for 1 to {len(COLOURS)} transformers, got "
            f"{len(grids)} and {len(outputs)}."
        )
    for part in outputs:
        check_counts(images, outputs=part)


def _foot(predictions: Sequence[int | str] | None, labels: Sequence[int | str] | None) -> float:
    """The space in inches for the lines under the panels."""
    if predictions is None:
        return 0.0
    truth = predictions if labels is None else labels
    pairs = [(str(prediction), str(label)) for prediction, label in zip(predictions, truth, strict=True)]
    texts = [mistake(*pair) if pair[0] != pair[1] else pair[0] for pair in pairs]
    return 0.3 + 0.15 * max(text.count("\n") for text in texts)


def _shown(image: Tensor) -> Sequence[Tensor]:
    """The pictures that show an image: itself, or its channels."""
    return [image] if image.shape[0] in (1, 3) else image.split(1)


def _names(name: str, images: Tensor) -> list[str]:
    count = len(_shown(images[0]))
    return [name] if count == 1 else [f"{name},\nchannel {k + 1}" for k in range(count)]


def _numbered(k: int, count: int) -> str:
    return "output" if count == 1 else f"output {k + 1}"
