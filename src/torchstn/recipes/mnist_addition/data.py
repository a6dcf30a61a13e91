"""Digits to pairs: a channel each, distorted by themselves, and their sum for a label."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...data import DISTORTIONS, Draws
from ..digit_samples import DigitSamples
from ..digits import FIXED, TEST_SEED, Digits, ShuffledDigits
from ..samples import Batch
from .config import Config

DISTORTION = DISTORTIONS["RTS"]
CHANNELS = 2
_SECOND = 1 << 32  # beyond the index of any digit: the second channel's random numbers are its own
_AT_A_TIME = 500


class Pairs(NamedTuple):
    """Two digits each.

    Attributes:
        pictures: (b, 2, 42, 42) in [0, 1].
        addends: (b, 2), the digit in each channel.
    """

    pictures: Tensor
    addends: Tensor

    @property
    def sums(self) -> Tensor:
        """The labels (b,), from 0 to 18."""
        return self.addends.sum(1)


def make_pairs(first: Digits, pool: Digits, *, seed: int, epoch: int) -> Pairs:
    """Gives each digit a partner, both distorted independently; a function of (seed, epoch, index).

    Args:
        first: What goes into the first channel.
        pool: Where partners are drawn from, each as likely as any other.
        seed: Of partners and distortions.
        epoch: Another one draws other partners and distorts differently.
    """
    partners = Draws(seed, epoch, first.indices.numpy()).integers("partner", 1, len(pool))
    second = pool[torch.from_numpy(np.ascontiguousarray(partners[:, 0]))]
    pictures = [
        DISTORTION(digits.images, keys, seed=seed, epoch=epoch)
        for digits, keys in ((first, first.indices), (second, first.indices + _SECOND))
    ]
    return Pairs(torch.cat(pictures, 1), torch.stack([first.labels, second.labels], 1))


class TrainingBatches(ShuffledDigits):
    """Every digit once an epoch in the first channel, with another partner in every epoch."""

    at_once = 8

    def _samples(self, chosen: Digits, epoch: int) -> tuple[Tensor, Tensor]:
        pairs = make_pairs(chosen, self.digits, seed=self.seed, epoch=epoch)
        return pairs.pictures, pairs.sums


class PairsOfDigits(DigitSamples[Config]):
    """Pictures (b, 2, 42, 42) and the sum of the two digits."""

    def training(self) -> TrainingBatches:
        return TrainingBatches(digits=self.learnt, batch=self.config.batch, seed=self.config.seed)

    def held_out(self, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        for pairs in fixed_pairs(self.held, part, parts):
            yield pairs.pictures, pairs.sums

    def shown(self) -> Iterator[Batch]:
        yield from fixed_pairs(self.held)


def fixed_pairs(digits: Digits, part: int = 0, parts: int = 1) -> Iterator[Pairs]:
    """The pairs to be judged by, always the same: each digit once in the first channel."""
    for places in torch.split(torch.arange(part, len(digits), parts), _AT_A_TIME):
        yield make_pairs(digits[places], digits, seed=TEST_SEED, epoch=FIXED)
