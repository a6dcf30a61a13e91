"""Crops as the network gets them: their middle, moved and stretched a little while it learns."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...data import Draws
from ...sampler import sample
from ...transform import Affine

ROOM = 8
"""A crop is kept with an eighth of its side more on each side, for what moves in when it is moved."""


def stored_side(side: int) -> int:
    """The side of a crop as it is kept, in pixels."""
    return side + 2 * (side // ROOM)


def normalised(crops: Tensor) -> Tensor:
    """Each picture (b, 3, h, w) less its mean, over its deviation: its light and contrast say nothing."""
    pictures = crops.float()
    pictures = pictures - pictures.mean((1, 2, 3), keepdim=True)
    return pictures / pictures.square().mean((1, 2, 3), keepdim=True).sqrt().clamp(min=1.0)


def middle(stored: Tensor, side: int) -> Tensor:
    """The crops (b, 3, side, side) within the larger ones that are kept."""
    first = (stored.shape[-1] - side) // 2
    return stored[..., first : first + side, first : first + side]


@dataclass(frozen=True)
class Augmentation:
    """How far training crops are changed, see the fields of `Config`; uniformly up to so much either way."""

    shift: float
    stretch: float
    turn: float
    negatives: float

    def __call__(self, stored: Tensor, side: int, draws: Draws) -> Tensor:
        """Pictures for training.

        Args:
            stored: uint8 (b, 3, S, S), larger than what is cut out of them.
            side: Of what is.
            draws: The random numbers of these b crops.

        Returns:
            Normalised float32 (b, 3, side, side).
        """
        grid = Affine()(self._theta(side / stored.shape[-1], draws), (side, side))
        pictures = normalised(sample(stored.float(), grid, padding="border"))
        negative = torch.from_numpy(draws.uniform("negative", 1)[:, 0] < self.negatives)
        return torch.where(negative[:, None, None, None], -pictures, pictures)

    def _theta(self, share: float, draws: Draws) -> Tensor:
        """What is read: the middle `share` of a crop, changed; (b, 6)."""
        move, size, angle = (
            torch.from_numpy(draws.uniform(purpose, 2, -1.0, 1.0)).float()
            for purpose in ("move", "size", "angle")
        )
        scale = share * torch.exp(math.log1p(self.stretch) * size)
        # The axes turn by an angle each: together a rotation, one against the other a shear.
        x, y = (math.radians(self.turn) * angle).unbind(1)
        across, down = scale.unbind(1)
        shift = 2 * share * self.shift * move
        columns = (
            across * x.cos(),
            -down * y.sin(),
            shift[:, 0],
            across * x.sin(),
            down * y.cos(),
            shift[:, 1],
        )
        return torch.stack(columns, 1)
