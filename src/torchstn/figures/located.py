"""Where something was found: boxes on images, as they moved while they were looked for."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from .panels import board, caption
from .style import FRAME, LATTICE, QUIET, show_image


def draw_box(axes: Axes, box: Tensor, *, dashed: bool = False) -> None:
    """Draws a box on an image: one that was found, or, dashed, the true one.

    Args:
        axes: Axes that show the image in pixels.
        box: (4,) as (x0, y0, x1, y1), outer edges.
        dashed: Whether it is the truth.
    """
    x0, y0, x1, y1 = box.tolist()
    style = {"edgecolor": LATTICE, "linestyle": (0, (3, 2))} if dashed else {"edgecolor": FRAME}
    axes.add_patch(Rectangle((x0 - 0.5, y0 - 0.5), x1 - x0, y1 - y0, fill=False, linewidth=1.3, **style))


def moments_figure(
    images: Tensor, moments: Sequence[tuple[int, Tensor]], truth: Tensor | None = None, *, side: float = 1.15
) -> Figure:
    """One row an image, one column a moment: the box after so many steps (the paper's figure 4).

    Args:
        images: (n, c, h, w) in [0, 1], c 1 or 3.
        moments: Steps and boxes (n, 4) after them.
        truth: (n, 4) the true boxes, drawn dashed; None if unknown.
        side: Side of a panel in inches.

    Raises:
        ValueError: If there is no moment, or the numbers of images and boxes differ.
    """
    if not moments or any(len(boxes) != len(images) for _, boxes in moments):
        raise ValueError(f"`moments` must hold at least one, with {len(images)} boxes each.")
    drawn = board([""] * len(images), len(moments), side=side, head=0.2)
    for row, (image, panels) in enumerate(zip(images, drawn.panels, strict=True)):
        for panel, (step, boxes) in zip(panels, moments, strict=True):
            show_image(panel, image)
            if truth is not None:
                draw_box(panel, truth[row], dashed=True)
            draw_box(panel, boxes[row])
            if row == 0:
                caption(panel, f"step {step}", above=True)
    return drawn.figure


def located_figure(
    images: Sequence[Tensor],
    boxes: Tensor,
    crops: Tensor,
    names: Sequence[str] | None = None,
    *,
    across: int = 6,
    side: float = 1.4,
) -> Figure:
    """Every image with its box, and below it what is in the box.

    Args:
        images: n of (c, h, w) in [0, 1], each of its own size.
        boxes: (n, 4) in pixels of each.
        crops: (n, c, oh, ow).
        names: A line below each; None writes none.
        across: Images in a row.
        side: Side of a panel in inches.
    """
    rows = -(-len(images) // across)
    foot = 0.0 if names is None else 0.2
    drawn = board([""] * (2 * rows), min(across, len(images)), side=side, gap=0.06 + foot, foot=foot)
    for k, image in enumerate(images):
        row, column = divmod(k, across)
        whole, part = (drawn.panels[2 * row + below][column] for below in (0, 1))
        show_image(whole, image)
        draw_box(whole, boxes[k])
        show_image(part, crops[k])
        if names is not None:
            caption(part, names[k], colour=QUIET, size=6.5)
    for blank in drawn.panels[2 * rows - 2 :]:
        for panel in blank[(len(images) - 1) % across + 1 :]:
            panel.set_visible(False)
    return drawn.figure
