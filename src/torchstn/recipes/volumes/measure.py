"""From where a trained transformer looks at the digits it is judged by."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...data import Draws
from ..digit_samples import measure_straightness
from ..digits import FIXED, TEST_SEED
from ..networks import DigitClassifier
from .data import Volumes
from .extrusion import SIDE, Extruded
from .view import view


@torch.no_grad()
def measure(samples: Volumes, model: DigitClassifier) -> Mapping[str, Any]:
    """How the projections show the digits: untransformed, and as the transformer turns them if there is one.

    Args:
        samples: Those the model is judged by.
        model: The trained model.

    Returns:
        Under "view" a `View.summary` for "untransformed" and for "transformed"; beside it how far the digits
        are straightened.
    """
    degrees = samples.config.degrees
    pose = Extruded(degrees=degrees).pose(Draws(TEST_SEED, FIXED, samples.held.indices.numpy()))
    identity = torch.eye(3, 4).flatten().expand(len(samples), -1)
    seen = {"untransformed": view(pose, identity, SIDE).summary()}
    if model.transformers:
        seen["transformed"] = view(pose, thetas(samples, model), SIDE).summary()
    return {**measure_straightness(samples, model), "view": seen}


def thetas(samples: Volumes, model: DigitClassifier) -> Tensor:
    """What the transformer predicts for each digit, (n, 12)."""
    device = next(model.parameters()).device
    found = [model.transformers[0].theta(volumes.to(device)).cpu() for volumes, _ in samples.held_out()]
    return torch.cat(found)
