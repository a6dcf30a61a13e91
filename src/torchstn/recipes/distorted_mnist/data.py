"""Digits to batches: distorted on the fly to train on, once and for all to be judged by."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ...data import DISTORTIONS
from ..digit_samples import DigitSamples
from ..digits import FIXED, TEST_SEED, Digits, ShuffledDigits
from ..samples import Batch
from .config import Config


class TrainingBatches(ShuffledDigits):
    """Shuffled and distorted anew in every epoch, or always as in the first."""

    at_once = 8

    def __init__(self, *, digits: Digits, batch: int, seed: int, distortion: str, anew: bool = True) -> None:
        super().__init__(digits=digits, batch=batch, seed=seed)
        self.distortion, self.anew = distortion, anew

    def _samples(self, chosen: Digits, epoch: int) -> tuple[Tensor, Tensor]:
        pictures = DISTORTIONS[self.distortion](
            chosen.images,
            chosen.indices,
            seed=self.seed,
            epoch=epoch if self.anew else 0,
            clutter=self.digits.images,
        )
        return pictures, chosen.labels


class DistortedDigits(DigitSamples[Config]):
    """Pictures (b, 1, h, w) and the digit on each."""

    def training(self) -> TrainingBatches:
        config = self.config
        return TrainingBatches(
            digits=self.learnt,
            batch=config.batch,
            seed=config.seed,
            distortion=config.distortion,
            anew=config.drawn == "anew",
        )

    def held_out(self, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        return fixed_batches(self.held, self.config.distortion, part=part, parts=parts)

    def shown(self) -> Iterator[Batch]:
        for pictures, labels in self.held_out():
            yield pictures, labels[:, None]


def fixed_batches(
    digits: Digits, distortion: str, size: int = 500, part: int = 0, parts: int = 1
) -> Iterator[Batch]:
    """The digits to be judged by, always distorted the same way.

    Args:
        digits: Which ones.
        distortion: What is done to them.
        size: Digits at a time.
        part: Which process asks,
        parts: of how many; each gets its own share.

    Yields:
        Pictures (b, 1, h, w) and labels (b,).
    """
    mine = torch.arange(part, len(digits), parts)
    for places in torch.split(mine, size):
        chosen = digits[places]
        pictures = DISTORTIONS[distortion](
            chosen.images, chosen.indices, seed=TEST_SEED, epoch=FIXED, clutter=digits.images
        )
        yield pictures, chosen.labels
