"""What a transformer does to the same digits as it learns: an animation, one frame a moment."""

from collections.abc import Iterable
from io import BytesIO

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from .around import OUTSIDE
from .style import FRAME, INK, LATTICE, WRONG

FILM_DPI = 100


def film_bytes(frames: Iterable[tuple[int, Figure]], *, seconds: float = 0.35) -> bytes:
    """Draws figures as an animated GIF that repeats, its last frame shown longer.

    Args:
        frames: In order, how many steps had been made, and what the network made of the same images then.
        seconds: A frame is shown for.

    Returns:
        The GIF file.

    Raises:
        ValueError: If there is no frame.
    """
    palette = _palette()
    drawn = [_drawn(*frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    if not drawn:
        raise ValueError("`frames` must hold at least one, got none.")
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


def _drawn(step: int, figure: Figure) -> Image.Image:
    figure.text(0.012, 0.045, f"step {step}", fontsize=8.5, color=INK, va="bottom")
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=FILM_DPI)
    return Image.open(buffer).convert("RGB")
