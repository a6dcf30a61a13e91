"""What the distortions do, side by side: one block of digits for each."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from .panels import board, caption
from .style import INK, show_image


def contact_sheet(sets: Mapping[str, Tensor], *, across: int = 5, side: float = 2.1) -> Figure:
    """Draws a square block of images for every named set, left to right.

    Args:
        sets: Name -> images (n, c, h, w) in [0, 1]; sizes may differ between sets.
        across: Images along each side of a block; a set with fewer than across^2 leaves the rest empty.
        side: Side of a block in inches.

    Returns:
        A figure, drawn without a display.

    Raises:
        ValueError: If there is no set, or one of them is not a batch of images.
    """
    if not sets:
        raise ValueError("`sets` must name at least one batch of images, got none.")
    drawn = board([""], len(sets), side=side, gap=0.16, head=0.2)
    for panel, (name, images) in zip(drawn.panels[0], sets.items(), strict=True):
        if images.ndim != 4:
            raise ValueError(f"`sets[{name!r}]` must be (n, c, h, w), got {tuple(images.shape)}.")
        h, w = images.shape[-2:]
        show_image(panel, mosaic(images, across))
        _rule_off(panel, across, h, w)
        caption(panel, name, above=True, align="left", colour=INK, size=11, bold=True)
        caption(panel, f"{h} x {w}", above=True, align="right", size=8)
    return drawn.figure


def mosaic(images: Tensor, across: int) -> Tensor:
    """Joins the first across^2 images into one (c, across h, across w); missing ones are black."""
    _, c, h, w = images.shape
    tiles = images.new_zeros(across * across, c, h, w)
    count = min(len(images), across * across)
    tiles[:count] = images[:count]
    return tiles.reshape(across, across, c, h, w).permute(2, 0, 3, 1, 4).reshape(c, across * h, across * w)


def _rule_off(panel: Axes, across: int, h: int, w: int) -> None:
    for k in range(1, across):
        panel.axvline(k * w - 0.5, color="#59636d", linewidth=0.5)
        panel.axhline(k * h - 0.5, color="#59636d", linewidth=0.5)
