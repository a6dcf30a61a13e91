"""Which digits a command works on."""

from pathlib import Path

from ..data import get_data_dir
from ..data.mnist_files import find_mnist
from .plainly import note


def default_data_dir(given: Path | None, preset: str) -> Path | None:
    """The folder given, else that of the downloaded MNIST if it is there, else None: the embedded digits.

    Raises:
        ValueError: If the folder given does not hold the files.

    The demo always takes the embedded digits, and whoever gets them for another preset is told what to do.
    """
    if given is not None:
        find_mnist(given)
        return given
    if preset == "demo":
        return None
    try:
        find_mnist(get_data_dir())
    except (ValueError, OSError):
        note("MNIST is not here: taking 5,000 of its digits. For all 70,000: torchstn data get mnist")
        return None
    return get_data_dir()
