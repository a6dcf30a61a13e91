"""A descriptor of any picture that needs no training: where edges run, and colours."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..backbones import Normalise, create_timm

_DIRECTIONS = 8
_CELLS = 7
_TINY = 1e-3


class Appearance(nn.Module):
    """Edges by direction and colours, in 7 x 7 cells; in the manner of histograms of oriented gradients.

    It is the poor man's encoder: it knows shapes and colours as they lie, and nothing of what things are.
    """

    def forward(self, crops: Tensor) -> list[Tensor]:
        """Crops (b, c, h, w) to edges (b, 8, 7, 7) and colours (b, c, 7, 7)."""
        return [F.adaptive_avg_pool2d(self._edges(crops), _CELLS), F.adaptive_avg_pool2d(crops, _CELLS)]

    def _edges(self, crops: Tensor) -> Tensor:
        """How strong an edge is, shared among the two directions nearest to its own."""
        grey = crops.mean(1, keepdim=True)
        across = grey[..., 1:-1, 2:] - grey[..., 1:-1, :-2]
        down = grey[..., 2:, 1:-1] - grey[..., :-2, 1:-1]
        strength = (across.square() + down.square() + _TINY**2).sqrt()
        # Twice the angle, since an edge and its opposite have one direction.
        cosine, sine = (across.square() - down.square()) / strength, 2 * across * down / strength
        angles = torch.arange(_DIRECTIONS, device=crops.device) * (2 * math.pi / _DIRECTIONS)
        angles = angles.view(-1, 1, 1).to(crops.dtype)
        return F.relu(cosine * angles.cos() + sine * angles.sin())


class Pretrained(nn.Module):
    """The feature maps of a network of the package timm.

    Args:
        name: As timm calls it, such as "resnet18".
        levels: How many of its deepest maps are read.

    Raises:
        ValueError: If timm is not installed, has no such network, or cannot get its weights.
    """

    def __init__(self, name: str, levels: int = 2) -> None:
        super().__init__()
        self.network = create_timm(name, pretrained=True, features_only=True)
        settings = self.network.pretrained_cfg
        self.normalise = Normalise(settings["mean"], settings["std"])
        self.levels = levels

    def forward(self, crops: Tensor) -> list[Tensor]:
        """Crops (b, 3, h, w) in [0, 1] to one map a level."""
        maps: list[Tensor] = self.network(self.normalise(crops))
        return maps[-self.levels :]
