"""Transformers that look at a picture, or at maps within a backbone, and the backbone that names it."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ... import Parallel, Sampler, SpatialTransformer
from ...localisation import SoftArgmax
from ..backbones import NamedBackbone, build_backbone
from .config import IMAGE, Config
from .families import FAMILIES, WHOLE, starts

_POINTS = 64
"""Places that a localisation network finds for the regression layer."""


class PictureClassifier(nn.Module):
    """Pictures to logits.

    Args:
        transformer: Looks at the picture; None sees all of it.
        shared: Whether the transformer looks at the backbone's maps of the picture, in place of the picture.
        backbone: Describes each view, all with the same weights; may hold transformers of its own.
        views: How many the transformer makes; their descriptions are taken together.
        classes: To tell apart.
        crop: Side of what the backbone sees.
        dropout: Share of the features left out before the last layer in training.
    """

    def __init__(
        self,
        transformer: Parallel | None,
        backbone: NamedBackbone,
        *,
        shared: bool,
        views: int,
        classes: int,
        crop: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.transformer, self.backbone, self.crop = transformer, backbone, crop
        self.shared = shared
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(views * backbone.channels, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (b, classes) of pictures (b, 3, size, size) in [0, 1], or of bytes."""
        if pictures.dtype == torch.uint8:
            pictures = pictures.float().div_(255)
        seen = self.backbone.normalise(pictures)
        views = shrink(seen, self.crop)
        if self.transformer is not None:
            views = self.transformer(self.backbone(views) if self.shared else views, seen)
        maps = self.backbone(views.unflatten(1, (-1, 3)).flatten(0, 1))
        features = maps.mean((2, 3)).unflatten(0, (pictures.shape[0], -1)).flatten(1)
        logits: Tensor = self.head(self.dropout(features))
        return logits


def shrink(pictures: Tensor, side: int) -> Tensor:
    """Pictures of at least a side, brought to it."""
    if pictures.shape[-1] == side:
        return pictures
    return functional.interpolate(pictures, (side, side), mode="bilinear", antialias=True)


def build_model(config: Config, classes: Sequence[str]) -> PictureClassifier:
    """The network that a config describes, what has no weights from elsewhere drawn from the config's seed.

    Raises:
        ValueError: If `at` names no layer of the backbone, or weights cannot be had.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        pretrained = config.weights == "imagenet"
        backbone = build_backbone(config.backbone, pretrained=pretrained)
        transformed = config.transform != "none"
        for layer in config.places if transformed else ():
            if layer != IMAGE:
                channels = backbone.shape_at(layer, (config.seen, config.seen))[0]
                backbone.insert(layer, _transformer(config, SoftArgmax(channels, _POINTS)))
        looks = transformed and IMAGE in config.places
        return PictureClassifier(
            _looking(config, backbone, pretrained) if looks else None,
            backbone,
            shared=config.localisation == "shared",
            views=config.transformers if looks else 1,
            classes=len(classes),
            crop=config.seen,
            dropout=config.dropout,
        )


def _looking(config: Config, backbone: NamedBackbone, pretrained: bool) -> Parallel:
    same, size = config.localisation == "same", (config.seen, config.seen)
    if config.localisation == "shared":
        finder = SoftArgmax(backbone.channels, _POINTS)
    else:
        eyes = build_backbone(config.backbone if same else "small", pretrained=pretrained and same)
        finder = SoftArgmax(eyes.channels, _POINTS, network=eyes)
    # A crop of a larger picture reads its pixels far apart: the gradient by where would be noise.
    sampler = Sampler(antialias=math.ceil(math.log2(max(config.size / config.seen, 1))))
    return Parallel(
        [
            SpatialTransformer(finder, FAMILIES[config.transform](place), sampler, size=size)
            for place in starts(config.transformers, config.zoom)
        ]
    )


def _transformer(config: Config, finder: SoftArgmax) -> SpatialTransformer:
    return SpatialTransformer(finder, FAMILIES[config.transform](WHOLE))
