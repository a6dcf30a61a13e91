"""Digits to batches of volumes: another pose in every epoch to train on, one for all time to be judged by."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..digits import FIXED, TEST_SEED, Digits, ShuffledDigits
from .config import Config
from .extrusion import Extruded

_AT_A_TIME = 100  # volumes in memory: 86 MB


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingBatches(ShuffledDigits):
    """Shuffled and posed anew in every epoch; each volume a function of (seed, epoch, index)."""

    degrees: float

    def _samples(self, chosen: Digits, epoch: int) -> tuple[Tensor, Tensor]:
        extruded = Extruded(degrees=self.degrees)
        return extruded(chosen.images, chosen.indices, seed=self.seed, epoch=epoch), chosen.labels


def training_batches(config: Config, digits: Digits) -> TrainingBatches:
    """The volumes that a config trains on."""
    return TrainingBatches(digits=digits, batch=config.batch, seed=config.seed, degrees=config.degrees)


def fixed_batches(config: Config, digits: Digits, part: int, parts: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The volumes to be judged by, always in the same pose.

    Args:
        config: Says how far digits are turned.
        digits: Which ones.
        part: Which process asks,
        parts: of how many; each gets its own share.

    Yields:
        Volumes (b, 1, 60, 60, 60) and labels (b,).
    """
    extruded = Extruded(degrees=config.degrees)
    for places in torch.arange(part, len(digits), parts).split(_AT_A_TIME):
        chosen = digits[places]
        volumes = extruded(chosen.images, chosen.indices, seed=TEST_SEED, epoch=FIXED)
        yield volumes, chosen.labels


def digits_shown(config: Config, digits: Digits) -> Iterator[tuple[Tensor, Tensor]]:
    """The same volumes, and the digit (b, 1) in their one channel."""
    for volumes, labels in fixed_batches(config, digits, 0, 1):
        yield volumes, labels[:, None]
