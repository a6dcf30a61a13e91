"""The networks of the paper's appendix A.5: a CNN of five answers, with one transformer, four, or none."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from ... import SpatialTransformer, localisation
from ...data.svhn import POSITIONS
from ...grid import Grid
from ...transform import Affine
from .config import Config
from .data import CLASSES

_FILTERS = (48, 64, 128, 160, 192, 192, 192, 192)
_POOLED = (True, False, True, False, True, False, True, False)
"""After which of the convolutions the maps are halved."""
_UNITS = (3072, 3072, 3072)
_WATCHED = 4
"""Convolutions that st-cnn-multi has a transformer before, the first ones."""


class SequenceReader(nn.Module):
    """Pictures to five digits, through the spatial transformers between its first layers, if there are any.

    Args:
        transformers: What the input of each convolution passes first; None leaves it as it is.
        convolutions: Each with what follows it, up to the next one.
        classifier: The last maps to numbers (b, 5 * 11).
    """

    def __init__(
        self,
        transformers: list[SpatialTransformer | None],
        convolutions: list[nn.Sequential],
        classifier: nn.Sequential,
    ) -> None:
        super().__init__()
        self.warps = nn.ModuleList(nn.Identity() if one is None else one for one in transformers)
        self.convolutions = nn.ModuleList(convolutions)
        self.classifier = classifier

    @property
    def transformers(self) -> tuple[SpatialTransformer, ...]:
        """Its spatial transformers, the first one before the image."""
        return tuple(warp for warp in self.warps if isinstance(warp, SpatialTransformer))

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (b, 5, 11) of pictures (b, 3, h, w)."""
        return self._read(pictures, None)

    def look(self, pictures: Tensor) -> tuple[Tensor, list[Grid]]:
        """Logits, and the grid of each transformer on its own input."""
        grids: list[Grid] = []
        return self._read(pictures, grids), grids

    def _read(self, pictures: Tensor, grids: list[Grid] | None) -> Tensor:
        maps = pictures.contiguous(memory_format=torch.channels_last)
        for warp, convolution in zip(self.warps, self.convolutions, strict=True):
            if isinstance(warp, SpatialTransformer):
                maps, grid = warp(maps, return_grid=True)
                if grids is not None:
                    grids.append(grid)
            maps = convolution(maps)
        logits: Tensor = self.classifier(maps)
        return logits.unflatten(1, (POSITIONS, len(CLASSES)))


def build_model(config: Config) -> SequenceReader:
    """The network that a config describes, its initial weights drawn from the config's seed.

    Whether a width leaves whole numbers of filters does not matter: they are rounded, to one at least.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        filters = [3, *(_narrow(count, config) for count in _FILTERS)]
        transformers, convolutions, side = [], [], config.side
        for k, (before, after) in enumerate(pairwise(filters)):
            transformers.append(_transformer(config, k, before, side))
            convolutions.append(_convolution(config, k, before, after))
            side = side // 2 if _POOLED[k] else side
        model = SequenceReader(transformers, convolutions, _classifier(config, filters[-1] * side**2))
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _narrow(count: int, config: Config) -> int:
    return max(1, round(count * config.width))


def _transformer(config: Config, k: int, channels: int, side: int) -> SpatialTransformer | None:
    """What comes before convolution `k`, whose input has so many channels and that side."""
    last = {"cnn": 0, "st-cnn-single": 1, "st-cnn-multi": _WATCHED}[config.model]
    if k >= last:
        return None
    if config.model == "st-cnn-single":
        network: nn.Module = localisation.Backbone(_localisation(config, channels, side), 32)
    else:
        network = localisation.FullyConnected(channels, (side, side), hidden=(32, 32))
    # With the edges as -1 and 1, halving maps leaves coordinates as they are: what is read in depth can be
    # drawn on the image.
    return SpatialTransformer(network, Affine(), align_corners=False)


def _localisation(config: Config, channels: int, side: int) -> nn.Sequential:
    filters = _narrow(32, config)
    return nn.Sequential(
        nn.Conv2d(channels, filters, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(filters, filters, 5, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(filters * (side // 2) ** 2, 32),
        nn.ReLU(),
        nn.Linear(32, 32),
        nn.ReLU(),
    )


def _convolution(config: Config, k: int, before: int, after: int) -> nn.Sequential:
    layers = [_started(nn.Conv2d(before, after, 5, padding=2)), *_activation(config, nn.BatchNorm2d(after))]
    if _POOLED[k]:
        layers.append(nn.MaxPool2d(2))
    if k > 0:  # the paper drops nothing of the first layer's
        layers.append(nn.Dropout(config.drop_maps))
    return nn.Sequential(*layers)


def _classifier(config: Config, inputs: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten()]
    widths = [inputs, *(_narrow(count, config) for count in _UNITS)]
    for before, after in pairwise(widths):
        layers += [_started(nn.Linear(before, after)), *_activation(config, nn.BatchNorm1d(after))]
        layers.append(nn.Dropout(config.dropout))
    return nn.Sequential(*layers, nn.Linear(widths[-1], POSITIONS * len(CLASSES)))


def _started(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """With weights that keep the deviation of what passes: PyTorch's own let it fade in eleven layers."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _activation(config: Config, normalisation: nn.Module) -> list[nn.Module]:
    return [*([normalisation] if config.normalisation == "batch" else []), nn.ReLU()]
