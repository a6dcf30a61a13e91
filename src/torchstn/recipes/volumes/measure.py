"""From where a trained transformer looks at the digits it is judged by."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ...data import Draws
from ..digits import FIXED, TEST_SEED, Digits
from ..networks import DigitClassifier
from .config import Config
from .data import fixed_batches
from .extrusion import SIDE, Extruded
from .view import view


@torch.no_grad()
def measure(
    config: Config, digits: Digits, model: DigitClassifier
) -> Mapping[str, dict[str, dict[str, float]]]:
    """How the projections show the digits: untransformed, and as the transformer turns them if there is one.

    Args:
        config: Says how far digits are turned.
        digits: Those the model is judged by.
        model: The trained model.

    Returns:
        Under "view" a `View.summary` for "untransformed" and for "transformed".
    """
    pose = Extruded(degrees=config.degrees).pose(Draws(TEST_SEED, FIXED, digits.indices.numpy()))
    identity = torch.eye(3, 4).flatten().expand(len(digits), -1)
    seen = {"untransformed": view(pose, identity, SIDE).summary()}
    if model.transformers:
        seen["transformed"] = view(pose, thetas(config, digits, model), SIDE).summary()
    return {"view": seen}


def thetas(config: Config, digits: Digits, model: DigitClassifier) -> Tensor:
    """What the transformer predicts for each digit, (n, 12)."""
    device = next(model.parameters()).device
    batches = fixed_batches(config, digits, 0, 1)
    return torch.cat([model.transformers[0].theta(volumes.to(device)).cpu() for volumes, _ in batches])
