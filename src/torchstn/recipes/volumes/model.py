"""A 3-D transformer before a projection, and its two controls (appendix A.3)."""

import torch
from torch import Tensor, nn

from ... import SpatialTransformer, localisation, transform
from ..networks import DigitClassifier, convolutional_classifier, to_quick_layout
from ..width import count_parameters, width_for
from .config import Config
from .extrusion import SIDE

CLASSES = 10
SEEN = 30
"""Side of what the transformer makes of a volume, and of what the 3-D network sees of it."""


class Projection(nn.Module):
    """Flattens volumes (b, c, d, h, w) to pictures (b, c, h, w) by a sum over depth (equation 11)."""

    def forward(self, volumes: Tensor) -> Tensor:
        return volumes.sum(2)


def build_model(config: Config) -> DigitClassifier:
    """The network that a config describes, its initial weights drawn from the config's seed.

    Returns:
        The model; between its transformer, if it has one, and its classifier it makes the projection.

    Raises:
        ValueError: If the transformer alone uses up the budget.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        transformer = _transformer() if config.model == "st" else None
        volumetric = config.model == "cnn-3d"
        side = SIDE if config.model == "projection" else SEEN

        def build(width: int) -> nn.Module:
            return _cnn_3d(width) if volumetric else convolutional_classifier(1, (side, side), CLASSES, width)

        width = width_for(config.parameters - count_parameters(transformer), build)
        before = nn.AvgPool3d(SIDE // SEEN) if volumetric else Projection()
        return to_quick_layout(DigitClassifier(transformer, before, build(width)))


def _transformer() -> SpatialTransformer:
    return SpatialTransformer(
        localisation=localisation.Convolutional(1, (SIDE, SIDE, SIDE), downsample=3),
        transform=transform.Affine(dims=3),
        size=(SEEN, SEEN, SEEN),
    )


def _cnn_3d(width: int) -> nn.Sequential:
    """The layers of the paper's CNN in three dimensions, of windows that leave it 20 filters and more."""
    left = ((SEEN - 4) // 2 - 4) // 2
    return nn.Sequential(
        nn.Conv3d(1, width, 5),
        nn.MaxPool3d(2),
        nn.ReLU(),
        nn.Conv3d(width, width, 5),
        nn.MaxPool3d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(left**3 * width, CLASSES),
    )
