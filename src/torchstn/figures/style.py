"""The look every picture shares: white around dark images, and colours that survive colour blindness."""

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

INK = "#1b1f24"
QUIET = "#667079"
RULE = "#d7dce1"
LATTICE = "#56b4e9"
FRAME = "#ffb000"
WRONG = "#c2410c"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")

FONT = {"family": "DejaVu Sans", "color": INK}
DPI = 200


def new_figure(width: float, height: float) -> Figure:
    """A blank white figure of `width` by `height` inches that draws without a display."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def bare(axes: Axes) -> Axes:
    """Takes ticks and spines away: what is left is the image."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def show_image(axes: Axes, image: Tensor, *, top: float = 1.0) -> None:
    """Shows one image, its pixel (i, j) centred on the point (j, i) of the axes.

    Args:
        axes: Where to draw.
        image: (1, h, w) grey or (3, h, w) colour, values in [0, top].
        top: The value that is drawn white.
    """
    pixels = (image.detach().to("cpu").float() / top).clamp(0, 1)
    shown = pixels[0] if pixels.shape[0] == 1 else pixels.permute(1, 2, 0)
    axes.imshow(shown.numpy(), cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
