"""The localisation networks of the paper's appendix A.4, for any number of dimensions and channels."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from .._checks import check_any_size, check_count, check_number, check_tensor
from .._types import Size
from .average_pool import average_pool
from .base import Localisation

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
MAX_POOLINGS = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}


class FullyConnected(Localisation):
    """Layers of ReLU units on the flattened image: FC 32 - FC 32 - FC 32 in the paper.

    Args:
        channels: Channels of the image.
        size: The image's size, array order.
        hidden: Units of each layer.
        leak: Slope of the units below zero. 0 is the paper's; any other keeps them from dying, whatever the
            optimiser does.

    Raises:
        ValueError: If `hidden` names no layer, or the leak is not in [0, 1).
    """

    def __init__(
        self, channels: int, size: Size, hidden: Sequence[int] = (32, 32, 32), *, leak: float = 0.0
    ) -> None:
        if not isinstance(hidden, Sequence):
            raise TypeError(f"`hidden` must be a sequence of whole numbers, one per layer, got {hidden!r}.")
        if not hidden:
            raise ValueError("`hidden` must name at least one layer, got none.")
        for units in hidden:
            check_count("hidden", units)
        super().__init__(hidden[-1])
        self.channels, self.size = check_count("channels", channels), check_any_size("size", size)
        widths = (channels * prod(self.size), *hidden)
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), _rectifier(leak)]
        self.layers = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        check_image(image, self.channels, self.size)
        features: Tensor = self.layers(image)
        return features


class Convolutional(Localisation):
    """The paper's convolutional localisation network (appendix A.4).

    On an image down-sampled by `downsample`: conv 5x5x20 - max-pool 2x2 - conv 5x5x20 - FC 20, with ReLU
    after each layer.

    Args:
        channels: Channels of the image.
        size: The image's size, array order.
        filters: Filters of each of the two convolutions.
        kernel_size: Their width in pixels.
        hidden: Units of the fully connected layer.
        downsample: Factor of the average pooling before the network; 2 in the paper, 1 for none.
        leak: As of `FullyConnected`.

    Raises:
        ValueError: If the image is too small for the layers, or the leak is not in [0, 1).
    """

    def __init__(
        self,
        channels: int,
        size: Size,
        *,
        filters: int = 20,
        kernel_size: int = 5,
        hidden: int = 20,
        downsample: int = 2,
        leak: float = 0.0,
    ) -> None:
        super().__init__(check_count("hidden", hidden))
        self.channels, self.size = check_count("channels", channels), check_any_size("size", size)
        self.downsample = check_count("downsample", downsample)
        dims = len(self.size)
        filters, kernel_size = check_count("filters", filters), check_count("kernel_size", kernel_size)
        reduced = tuple(
            (length // downsample - kernel_size + 1) // 2 - kernel_size + 1 for length in self.size
        )
        if min(reduced) < 1:
            smallest = downsample * (2 * kernel_size + kernel_size - 1)
            raise ValueError(
                f"`size` must be at least {smallest} along every axis for a kernel of {kernel_size} and a "
                f"down-sampling of {downsample}, got {self.size}; make `kernel_size` or `downsample` smaller."
            )
        self.layers = nn.Sequential(
            CONVOLUTIONS[dims](channels, filters, kernel_size),
            MAX_POOLINGS[dims](2),
            _rectifier(leak),  # of the maximum is the maximum of theirs, and a quarter of the work
            CONVOLUTIONS[dims](filters, filters, kernel_size),
            _rectifier(leak),
            nn.Flatten(),
            nn.Linear(filters * prod(reduced), hidden),
            _rectifier(leak),
        )

    def forward(self, image: Tensor) -> Tensor:
        check_image(image, self.channels, self.size)
        if self.downsample > 1:
            image = average_pool(image, self.downsample)
        features: Tensor = self.layers(image)
        return features


def _rectifier(leak: float) -> nn.Module:
    """ReLU, or with a slope below zero."""
    check_number("leak", leak)
    if not 0 <= leak < 1:
        raise ValueError(f"`leak` must be in [0, 1), got {leak!r}.")
    return nn.LeakyReLU(leak) if leak else nn.ReLU()


def check_image(image: Tensor, channels: int, size: tuple[int, ...]) -> None:
    """Refuses an image the network was not built for."""
    check_tensor("image", image)
    if tuple(image.shape[1:]) != (channels, *size):
        raise ValueError(
            f"`image` must be (n, {channels}, {', '.join(map(str, size))}), as the localisation network was "
            f"built, got {tuple(image.shape)}."
        )
