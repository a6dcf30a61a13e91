"""The networks of the paper's appendix A.1, as wide as a budget of parameters allows."""

import torch

from ... import Parallel, SpatialTransformer, localisation
from ..networks import TRANSFORM_FAMILIES, DigitClassifier, digit_classifier
from .config import Config
from .data import CHANNELS, DISTORTION

CLASSES = 19


def build_model(config: Config) -> DigitClassifier:
    """The network that a config describes, its initial weights drawn from the config's seed.

    Args:
        config: Names model, transform, budget and seed.

    Returns:
        The model; `.transformer` is a SpatialTransformer, two of them in a Parallel, or None.

    Raises:
        ValueError: If the transformers alone use up the budget.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        side_by_side = [_transformer(config) for _ in range(_TRANSFORMERS[config.model])]
        transformer = Parallel(side_by_side) if len(side_by_side) > 1 else next(iter(side_by_side), None)
        return digit_classifier(
            transformer,
            DISTORTION.size,
            channels=CHANNELS * max(len(side_by_side), 1),
            classes=CLASSES,
            convolutional=config.model == "cnn",
            pooled=True,
            parameters=config.parameters,
        )


_TRANSFORMERS = {"fcn": 0, "cnn": 0, "st-fcn": 1, "2xst-fcn": 2}


def _transformer(config: Config) -> SpatialTransformer:
    """Sees and warps both channels."""
    return SpatialTransformer(
        localisation=localisation.FullyConnected(
            CHANNELS, DISTORTION.size, hidden=(32, 32, 32), leak=config.leak
        ),
        transform=TRANSFORM_FAMILIES[config.transform](),
        align_corners=True,
    )
