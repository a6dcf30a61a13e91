"""The paper's four networks (section 4.1, appendix A.4), as wide as a budget of parameters allows."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ... import SpatialTransformer, localisation, transform
from ...data import DISTORTIONS
from ..input_convolution import InputConvolution
from .config import Config

CLASSES = 10
_POOLED = ("RTS", "TC")
_LARGEST = 4096


class DigitClassifier(nn.Module):
    """A digit to ten logits, through a spatial transformer if there is one.

    Args:
        transformer: Straightens the picture; None leaves it as it is.
        pool: Between transformer and classifier.
        classifier: Picture to logits.
    """

    def __init__(
        self, transformer: SpatialTransformer | None, pool: nn.Module, classifier: nn.Module
    ) -> None:
        super().__init__()
        self.transformer = transformer
        self.pool = pool
        self.classifier = classifier

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (b, 10) of pictures (b, 1, h, w)."""
        # Convolutions run twice as fast on a CPU in this layout.
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        if self.transformer is not None:
            pictures = self.transformer(pictures)
        logits: Tensor = self.classifier(self.pool(pictures))
        return logits


def build_model(config: Config) -> DigitClassifier:
    """The network that a config describes, its initial weights drawn from the config's seed.

    Args:
        config: Names model, transform, distortion, budget and seed.

    Returns:
        The model; `.transformer` is its spatial transformer or None.

    Raises:
        ValueError: If the transformer alone uses up the budget.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        size = DISTORTIONS[config.distortion].size
        transformer = _transformer(config, size) if config.has_transformer else None
        seen = size
        pool: nn.Module = nn.Identity()
        if transformer is not None and config.distortion in _POOLED:
            seen, pool = (size[0] // 2, size[1] // 2), nn.AvgPool2d(2)
        build = _fully_connected if config.model.endswith("fcn") else _convolutional
        width = width_for(config.parameters - count_parameters(transformer), lambda w: build(seen, w))
        model = DigitClassifier(transformer, pool, build(seen, width))
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it


def count_parameters(module: nn.Module | None) -> int:
    """Learnable numbers in a module; none in None."""
    return 0 if module is None else sum(p.numel() for p in module.parameters() if p.requires_grad)


def width_for(budget: int, build: Callable[[int], nn.Module]) -> int:
    """The width at which a network comes nearest to a budget of parameters.

    Args:
        budget: Learnable numbers to have.
        build: Makes the network of a width; its count must grow with it. Called without memory.

    Returns:
        The width, at least 1.

    Raises:
        ValueError: If even width 1 is more than the budget.
    """

    def count(width: int) -> int:
        with torch.device("meta"):
            return count_parameters(build(width))

    if count(1) > budget:
        raise ValueError(
            f"`parameters` leaves {budget} for the classifier, which needs at least {count(1)}; allow more."
        )
    low, high = 1, _LARGEST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) <= budget else (low, middle)
    return min((low, high), key=lambda width: abs(count(width) - budget))


def _fully_connected(size: tuple[int, int], width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(size[0] * size[1], width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, CLASSES),
    )


def _convolutional(size: tuple[int, int], width: int) -> nn.Sequential:
    # Rounding down, 21 pixels (RTS after pooling) would leave 6 for a window of 7.
    up = min(size) - 8 < 14
    rows, columns = (_after(_after(side, 9, up), 7, up) for side in size)
    return nn.Sequential(
        InputConvolution(1, width, 9),
        nn.MaxPool2d(2, ceil_mode=up),
        nn.ReLU(),
        nn.Conv2d(width, width, 7),
        nn.MaxPool2d(2, ceil_mode=up),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(rows * columns * width, CLASSES),
    )


def _after(side: int, window: int, up: bool) -> int:
    """What a convolution without padding and a pooling by two leave of a side."""
    left = side - window + 1
    return (left + 1) // 2 if up else left // 2


def _transformer(config: Config, size: tuple[int, int]) -> SpatialTransformer:
    families = {"affine": transform.Affine, "projective": transform.Projective, "tps": transform.ThinPlate}
    network: nn.Module
    if config.model == "st-fcn":
        network = localisation.FullyConnected(1, size, hidden=(32, 32, 32))
    else:
        network = localisation.Convolutional(1, size)
    return SpatialTransformer(
        localisation=network, transform=families[config.transform](), align_corners=True
    )
