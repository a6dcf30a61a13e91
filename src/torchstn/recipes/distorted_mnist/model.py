"""The four networks of the paper's section 4.1, as wide as a budget of parameters allows."""

import torch
from torch import nn

from ... import SpatialTransformer, localisation
from ...data import DISTORTIONS
from ..networks import TRANSFORM_FAMILIES, DigitClassifier, digit_classifier
from .config import Config

_POOLED = ("RTS", "TC")


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
        return digit_classifier(
            _transformer(config, size) if config.has_transformer else None,
            size,
            convolutional=config.model.endswith("cnn"),
            pooled=config.distortion in _POOLED,
            parameters=config.parameters,
        )


def _transformer(config: Config, size: tuple[int, int]) -> SpatialTransformer:
    network: nn.Module
    if config.model == "st-fcn":
        network = localisation.FullyConnected(1, size, hidden=(32, 32, 32))
    else:
        network = localisation.Convolutional(1, size)
    return SpatialTransformer(
        localisation=network, transform=TRANSFORM_FAMILIES[config.transform](), align_corners=True
    )
