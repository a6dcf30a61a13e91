"""What a transformer does to the same digits as it learns: an animation, one frame a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from matplotlib.colors import to_rgb
from PIL import Image
from torch import Tensor

from ..grid import Grid
from .paper_figure import OUTSIDE, paper_figure
from .style import FRAME, INK, LATTICE, WRONG

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
    palette = _palette()
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


def _palette() -> Image.Image:
    """For all frames, or greys would flicker: greys, and each colour mixed with black and white."""
    # So few greys that white's nearest is white itself: Pillow compares colours eight levels at a time.
    greys = [(round(255 * k / 31),) * 3 for k in range(32)]
    mixes = [
        tuple(round(255 * (share * part + (1 - share) * ground)) for part in to_rgb(colour))
        for colour in (LATTICE, FRAME, WRONG, OUTSIDE)
        for ground in (0, 1)
        for share in (k / 16 for k in range(1, 17))
    ]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in (*greys, *mixes) for part in colour])
    return palette


def _frame(images: Tensor, labels: Sequence[int], moment: Moment) -> Image.Image:
    figure = paper_figure(images, moment.grids, moment.outputs, moment.predictions, labels)
    figure.text(0.012, 0.045, f"step {moment.step}", fontsize=8.5, color=INK, va="bottom")
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=FILM_DPI)
    return Image.open(buffer).convert("RGB")
