"""Transformers that look at a picture, or at maps within a backbone, and the backbone that names it."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ... import Parallel, Sampler, SpatialTransformer
from ...localisation import Localisation
from ..backbones import NamedBackbone, build_backbone
from .config import IMAGE, Config
from .families import FAMILIES, WHOLE, starts

_FILTERS, _SPOTS, _UNITS = 64, 4, 64


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
        features = maps.mean((2, 3)).unflatten(0, (len(pictures), -1)).flatten(1)
        logits: Tensor = self.head(self.dropout(features))
        return logits


class Finder(Localisation):
    """Maps to features that still tell where things are: fewer channels, a few spots, one layer.

    A mean over the maps would forget just that.

    Args:
        maps: Makes the maps (n, channels, h, w); None where they come in.
        channels: Theirs.
    """

    def __init__(self, maps: nn.Module | None, channels: int) -> None:
        super().__init__(_UNITS)
        self.maps = maps
        spots = nn.Sequential(
            nn.Conv2d(channels, _FILTERS, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(_SPOTS), nn.Flatten()
        )
        # As the backbones lie: several processes want a gradient that lies like its weight.
        self.spots = spots.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's own
        # Normalised: the regression layer then moves as fast behind every backbone, and not hardly at all.
        self.units = nn.Sequential(nn.Linear(_FILTERS * _SPOTS**2, _UNITS), nn.LayerNorm(_UNITS), nn.ReLU())

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.units(self.spots(image if self.maps is None else self.maps(image)))
        return features


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
                backbone.insert(layer, _transformer(config, Finder(None, channels)))
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
        finder = Finder(None, backbone.channels)
    else:
        eyes = build_backbone(config.backbone if same else "small", pretrained=pretrained and same)
        finder = Finder(eyes, eyes.channels)
    # A crop of a larger picture reads its pixels far apart: the gradient by where would be noise.
    sampler = Sampler(antialias=math.ceil(math.log2(max(config.size / config.seen, 1))))
    return Parallel(
        [
            SpatialTransformer(finder, FAMILIES[config.transform](place), sampler, size=size)
            for place in starts(config.transformers, config.zoom)
        ]
    )


def _transformer(config: Config, finder: Finder) -> SpatialTransformer:
    return SpatialTransformer(finder, FAMILIES[config.transform](WHOLE))
