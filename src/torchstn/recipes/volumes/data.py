"""Digits to batches of volumes: another pose in every epoch to train on, one for all time to be judged by."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..digit_samples import DigitSamples
from ..digits import FIXED, TEST_SEED, Digits, ShuffledDigits
from ..samples import Batch
from .config import Config
from .extrusion import Extruded

_AT_A_TIME = 100  # volumes in memory: 86 MB


class TrainingBatches(ShuffledDigits):
    """Shuffled and posed anew in every epoch; each volume a function of (seed, epoch, index)."""

    def __init__(self, *, digits: Digits, batch: int, seed: int, degrees: float) -> None:
        super().__init__(digits=digits, batch=batch, seed=seed)
        self.degrees = degrees

    def _samples(self, chosen: Digits, epoch: int) -> tuple[Tensor, Tensor]:
        extruded = Extruded(degrees=self.degrees)
        return extruded(chosen.images, chosen.indices, seed=self.seed, epoch=epoch), chosen.labels


class Volumes(DigitSamples[Config]):
    """Volumes (b, 1, 60, 60, 60) and the digit in each; to be judged by, always in the same pose."""

    def training(self) -> TrainingBatches:
        config = self.config
        return TrainingBatches(
            digits=self.learnt, batch=config.batch, seed=config.seed, degrees=config.degrees
        )

    def held_out(self, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        extruded = Extruded(degrees=self.config.degrees)
        for places in torch.arange(part, len(self), parts).split(_AT_A_TIME):
            chosen = self.held[places]
            volumes = extruded(chosen.images, chosen.indices, seed=TEST_SEED, epoch=FIXED)
            yield volumes, chosen.labels

    def shown(self) -> Iterator[Batch]:
        for volumes, labels in self.held_out():
            yield volumes, labels[:, None]
