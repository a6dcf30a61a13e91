"""What a transformer does to the same digits as it learns: an animation, one frame a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image
from torch import Tensor

from ..grid import Grid
from .paper_figure import paper_figure
from .style import INK

FILM_DPI = 100


@dataclass(frozen=True)
class Moment:
    """What the network made of the film's images after some steps.

    Attributes:
        step: Steps made.
        grids: Where the outputs read, a batch of n.
        outputs: (n, c, oh, ow).
        predictions: n classes.
    """

    step: int
    grids: Grid
    outputs: Tensor
    predictions: Sequence[int]


def film_bytes(
    images: Tensor, labels: Sequence[int], moments: Sequence[Moment], *, seconds: float = 0.35
) -> bytes:
    """Draws the moments as an animated GIF that repeats, its last frame shown longer.

    Args:
        images: (n, c, h, w) in [0, 1], the same in every frame.
        labels: Their n classes.
        moments: In order.
        seconds: A frame is shown for.

    Returns:
        The GIF file.

    Raises:
        ValueError: If there is no moment.
    """
    if not moments:
        raise ValueError("`moments` must hold at least one, got none.")
    frames = [_frame(images, labels, moment) for moment in moments]
    # One palette for all frames, or the greys would flicker.
    palette = frames[-1].quantize(128)
    drawn = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    pause = round(1000 * seconds)
    buffer = BytesIO()
    drawn[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=drawn[1:],
        duration=[pause] * (len(drawn) - 1) + [6 * pause],
        loop=0,
        disposal=1,
    )
    return buffer.getvalue()


def _frame(images: Tensor, labels: Sequence[int], moment: Moment) -> Image.Image:
    figure = paper_figure(images, moment.grids, moment.outputs, moment.predictions, labels)
    figure.text(0.012, 0.045, f"step {moment.step}", fontsize=8.5, color=INK, va="bottom")
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=FILM_DPI)
    return Image.open(buffer).convert("RGB")
