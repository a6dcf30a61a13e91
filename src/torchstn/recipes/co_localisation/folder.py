"""Any images that share something, each of its own size."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ... import sample, transform
from ...data.canvas import Frame
from ..backbones import TIMM
from .appearance import Appearance, Pretrained
from .config import Optimisation
from .data import SIDE
from .descriptor import Descriptor
from .localiser import boxes_of
from .optimise import co_localise
from .patches import cut_patches

ENCODERS = ("appearance", f"{TIMM}NAME")
_CROPS = {False: 28, True: 64}
"""Side of a crop: what the appearance is described in, and what a pretrained network can read."""
_TYPICAL = 20
_LEAST_SPREAD = 1e-3


class Shared(NamedTuple):
    """What several images have in common.

    Attributes:
        boxes: (n, 4) on each image, (x0, y0, x1, y1) in its own pixels, outer edges.
        losses: (n,) equation (8); the lower, the better the box goes with the others.
        crops: (n, 3, crop, crop).
    """

    boxes: Tensor
    losses: Tensor
    crops: Tensor


def find_shared(
    squares: Tensor,
    frames: Sequence[Frame],
    choices: Optimisation,
    folder: Path,
    *,
    encoder: str = ENCODERS[0],
    progress: bool = True,
) -> Shared:
    """Finds what images have in common.

    Args:
        squares: (n, 3, 84, 84) in [0, 1], the images fitted in.
        frames: How each was.
        choices: How to look.
        folder: For checkpoints.
        encoder: "appearance", or "timm:" and the name of a network.
        progress: Whether to show it.

    Raises:
        ValueError: If there are fewer than two images, or no such encoder.
    """
    if len(squares) < 2:
        raise ValueError(f"`squares` must hold at least two images that share something, got {len(squares)}.")
    pretrained = encoder.startswith(TIMM)
    crop = _CROPS[pretrained]
    describe = Descriptor(_features(encoder), _typical(squares, crop, choices.seed))
    spread, mean = torch.std_mean(squares, (0, 2, 3), keepdim=True)
    found = co_localise(
        squares,
        describe,
        choices,
        folder,
        seen=(squares - mean) / spread.clamp(min=_LEAST_SPREAD),
        crop=crop,
        title="attempt",
        progress=progress,
    )
    boxes = boxes_of(found.theta, SIDE, crop)
    grid = transform.Attention()(found.theta, (crop, crop), input_size=(SIDE, SIDE), align_corners=True)
    return Shared(
        torch.stack([frame.to_image(box) for frame, box in zip(frames, boxes, strict=True)]),
        found.losses,
        sample(squares, grid),
    )


def _features(encoder: str) -> nn.Module:
    if encoder.startswith(TIMM):
        return Pretrained(encoder.removeprefix(TIMM))
    if encoder != ENCODERS[0]:
        raise ValueError(f"`encoder` must be {' or '.join(ENCODERS)}, got {encoder!r}.")
    return Appearance()


def _typical(squares: Tensor, crop: int, seed: int) -> Tensor:
    """Random patches of the images themselves."""
    patches = cut_patches(squares, lambda crops: crops.flatten(1), count=_TYPICAL, crop=crop, seed=seed)
    return patches.descriptors.view(-1, squares.shape[1], crop, crop)
