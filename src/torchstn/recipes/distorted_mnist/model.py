"""The four networks of the paper's section 4.1, as wide as a budget of parameters allows."""

import torch
from torch import nn

from ... import SpatialTransformer, localisation
from ...data import DISTORTIONS
from ..deep_classifier import deep_classifier
from ..networks import TRANSFORM_FAMILIES, DigitClassifier, digit_classifier, to_quick_layout
from ..width import count_parameters, width_for
from .config import Config

CLASSES = 10
_POOLED = ("RTS", "TC")
_MOST_READ = 42  # pixels a side


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
        if config.model == "st-deep":
            return _deep(config, size)
        return digit_classifier(
            _transformer(config, size) if config.has_transformer else None,
            size,
            convolutional=config.model.endswith("cnn"),
            pooled=config.distortion in _POOLED and config.pooling == "pooled",
            parameters=config.parameters,
        )


def _deep(config: Config, size: tuple[int, int]) -> DigitClassifier:
    """Beyond the paper: a deeper network reads as many pixels as the canvas has, at most 42 x 42."""
    transformer = _transformer(config, size, (min(size[0], _MOST_READ), min(size[1], _MOST_READ)))
    width = width_for(
        config.parameters - count_parameters(transformer), lambda w: deep_classifier(1, CLASSES, w)
    )
    return to_quick_layout(DigitClassifier(transformer, nn.Identity(), deep_classifier(1, CLASSES, width)))


def _transformer(
    config: Config, size: tuple[int, int], output: tuple[int, int] | None = None
) -> SpatialTransformer:
    network: nn.Module
    if config.model == "st-fcn":
        network = localisation.FullyConnected(1, size, hidden=(32, 32, 32), leak=config.leak)
    else:
        network = localisation.Convolutional(1, size, leak=config.leak)
    return SpatialTransformer(
        localisation=network,
        transform=TRANSFORM_FAMILIES[config.transform](),
        size=output,
        align_corners=config.corners == "centres",
    )
