"""Digits to batches: distorted on the fly to train on, once and for all to be judged by."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ...data import DISTORTIONS
from ..digits import FIXED, TEST_SEED, Digits, ShuffledDigits


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingBatches(ShuffledDigits):
    """Shuffled and distorted anew in every epoch, or always as in the first."""

    distortion: str
    anew: bool = True

    def _samples(self, chosen: Digits, epoch: int) -> tuple[Tensor, Tensor]:
        pictures = DISTORTIONS[self.distortion](
            chosen.images,
            chosen.indices,
            seed=self.seed,
            epoch=epoch if self.anew else 0,
            clutter=self.digits.images,
        )
        return pictures, chosen.labels


def fixed_batches(
    digits: Digits, distortion: str, size: int = 500, part: int = 0, parts: int = 1
) -> Iterator[tuple[Tensor, Tensor]]:
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
