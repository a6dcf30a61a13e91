"""Figures become PNG files, whole or not at all."""

from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

from ..training.files import atomic_write

CUB_CREDIT = "Photographs: CUB-200-2011, C. Wah et al. 2011; non-commercial research and education only"
SVHN_CREDIT = "Photographs: Street View House Numbers, Y. Netzer et al. 2011; non-commercial use only"
MNIST_CREDIT = "Digits: MNIST, Y. LeCun, C. Cortes, C. Burges; CC BY-SA 3.0"


def png_bytes(figure: Figure, *, credit: str | None = None) -> bytes:
    """The figure as PNG; the same figure gives the same bytes.

    Args:
        figure: What to save.
        credit: Attribution and licence of what the picture shows, written into the file's metadata.
    """
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None, "Copyright": credit})
    return buffer.getvalue()


def save_figure(figure: Figure, path: Path, *, credit: str | None = None) -> Path:
    """Writes the figure as a PNG file, making its folder where it is missing.

    Args:
        figure: What to save.
        path: Where to; must end in .png.
        credit: As in `png_bytes`.

    Returns:
        The path.

    Raises:
        ValueError: If the path does not end in .png.
    """
    if path.suffix.lower() != ".png":
        raise ValueError(f"`path` must end in .png, got {str(path)!r}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, png_bytes(figure, credit=credit))
    return path
