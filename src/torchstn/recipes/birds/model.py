"""Transformers that crop parts, a network that describes each, one classifier (appendix A.6)."""

from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ... import Parallel, SpatialTransformer, transform
from ...grid import Grid
from ...localisation import Localisation
from ..backbones import NamedBackbone, build_backbone
from .config import Config

SCALE = 0.5
"""Of each crop, a share of the picture's side."""
_HIDDEN = 128
_STARTS = {2: ((-0.5, 0.0), (0.5, 0.0)), 4: ((-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5))}
"""Where the crops begin: side by side, so that together they are the picture or its middle half."""


class PartLocalisation(Localisation):
    """A backbone, a 1 x 1 convolution to 128 maps, and a layer of 128 units on all of these.

    Args:
        backbone: To begin with.
        side: Of its pictures in pixels.
        shrink: By how much the pictures are made smaller first.
    """

    def __init__(self, backbone: NamedBackbone, side: int, shrink: int = 1) -> None:
        super().__init__(_HIDDEN)
        self.backbone, self.shrink = backbone, shrink
        channels, rows, columns = backbone.shape((side, side))
        self.narrow = nn.Conv2d(channels, _HIDDEN, 1)
        self.join = nn.Linear(_HIDDEN * rows * columns, _HIDDEN)

    def forward(self, pictures: Tensor) -> Tensor:
        if self.shrink > 1:
            pictures = functional.avg_pool2d(pictures, self.shrink)
        maps = functional.relu(self.narrow(self.backbone(pictures)))
        return functional.relu(self.join(maps.flatten(1)))


class BirdClassifier(nn.Module):
    """Pictures to logits: a description of the picture, or one of each part side by side.

    Args:
        transformer: Crops the parts; None describes the picture itself.
        descriptions: A network a part.
        classes: To tell apart.
        dropout: Share of the features dropped before the last layer.
    """

    def __init__(
        self,
        transformer: Parallel | None,
        descriptions: Sequence[NamedBackbone],
        classes: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.transformer = transformer
        self.descriptions = nn.ModuleList(descriptions)
        self.pool = nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(sum(each.channels for each in descriptions), classes)
        self.normalise = descriptions[0].normalise

    @property
    def transformers(self) -> tuple[SpatialTransformer, ...]:
        """One a part, or none."""
        if self.transformer is None:
            return ()
        return tuple(cast(Iterable[SpatialTransformer], self.transformer.transformers))

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (b, classes) of pictures (b, 3, h, w) in [0, 1]."""
        normal = self.normalise(pictures)
        parts = [normal] if self.transformer is None else self.transformer(normal).split(3, 1)
        features = [net(part).mean((2, 3)) for net, part in zip(self.descriptions, parts, strict=True)]
        logits: Tensor = self.classifier(self.dropout(torch.cat(features, 1)))
        return logits

    def transformed(self, pictures: Tensor) -> tuple[Tensor, tuple[Grid, ...]]:
        """What each transformer crops of pictures in [0, 1], side by side along the channels, and where."""
        assert self.transformer is not None
        outputs, grids = self.transformer(self.normalise(pictures), pictures, return_grid=True)
        return outputs, grids


def build_model(config: Config, classes: Sequence[str]) -> BirdClassifier:
    """The network that a config describes, its last layers drawn from the config's seed.

    Args:
        config: The config.
        classes: The species to tell apart.

    Raises:
        ValueError: If a backbone or its weights cannot be had.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        descriptions = [_backbone(config) for _ in range(max(config.transformers, 1))]
        transformer = _transformers(config) if config.transformers else None
        return BirdClassifier(transformer, descriptions, len(classes), config.dropout)


def _backbone(config: Config) -> NamedBackbone:
    return build_backbone(config.backbone, pretrained=config.weights == "imagenet")


def _transformers(config: Config) -> Parallel:
    shared = PartLocalisation(_backbone(config), config.seen, config.side // config.seen)
    return Parallel(
        [
            SpatialTransformer(
                shared, transform.Attention(scale=SCALE, initial=start), size=(config.seen, config.seen)
            )
            for start in _STARTS[config.transformers]
        ]
    )
