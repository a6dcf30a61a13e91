"""The order of an epoch, and which samples are held out of training."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..data import Draws
from ..training import Part


class Shuffled(ABC):
    """Training batches by address, in another order in every epoch: a function of (seed, epoch, index).

    What does not fill a batch at an epoch's end is left out; as the order changes, no sample is for long.

    Args:
        count: Samples to train on.
        batch: Samples a batch.
        seed: Of the order.

    Attributes:
        at_once: Batches made together, when the first of them is asked for: of small samples the call costs
            as much as what it makes.

    Raises:
        ValueError: If there are too few samples for one batch.
    """

    at_once = 1

    def __init__(self, count: int, batch: int, seed: int) -> None:
        if batch > count:
            raise ValueError(f"`batch` must be at most the number of training samples, {count}, got {batch}.")
        self.count, self.batch, self.seed = count, batch, seed
        self._made: dict[tuple[int, ...], Part] = {}

    @property
    def per_epoch(self) -> int:
        return self.count // self.batch

    def __call__(self, epoch: int, batch: int, part: int, parts: int) -> Part:
        if (epoch, batch, part, parts) not in self._made:
            self._made = dict(self._make(epoch, batch, part, parts))
        return self._made.pop((epoch, batch, part, parts))

    def _make(self, epoch: int, batch: int, part: int, parts: int) -> Iterator[tuple[tuple[int, ...], Part]]:
        """A batch, by address, and those that are made with it: always the same ones, to the last bit."""
        order = _order(self.count, self.seed, epoch)
        first = batch - batch % self.at_once
        batches = range(first, min(first + self.at_once, self.per_epoch))
        places = [order[each * self.batch :][: self.batch][part::parts] for each in batches]
        sizes = [len(each) for each in places]
        split = [tensor.split(sizes) for tensor in self.samples(torch.cat(places), epoch)]
        for each, tensors in zip(batches, zip(*split, strict=True), strict=True):
            yield (epoch, each, part, parts), Part(tensors, self.batch)

    @abstractmethod
    def samples(self, places: Tensor, epoch: int) -> tuple[Tensor, ...]:
        """Inputs, labels and whatever else the objective takes, of the samples at these places (b,)."""


@lru_cache(maxsize=4)
def _order(count: int, seed: int, epoch: int) -> Tensor:
    """A shuffle that depends on nothing but its arguments: samples sorted by a random number each."""
    keys = Draws(seed, epoch, np.arange(count)).uniform("order", 1)[:, 0]
    return torch.from_numpy(np.argsort(keys, kind="stable"))


def held_out_of(count: int, validation: int) -> Tensor:
    """Which of `count` training samples are not trained on: one drawn from each of `validation` stretches.

    Of a set in the order of its classes they are of all classes; and of one in which two kinds take turns, as
    harder and easier digits do in MNIST's training set, they are not of one kind, as every sixth would be.

    Returns:
        bool (count,), always the same.

    Raises:
        ValueError: If nothing would be left to train on.
    """
    if validation >= count:
        raise ValueError(f"`validation` must leave samples to train on: it is {validation} of {count}.")
    starts = np.arange(validation + 1) * count // max(validation, 1)
    drawn = Draws(0, 0, np.arange(validation)).uniform("held out", 1)[:, 0]
    held = torch.zeros(count, dtype=torch.bool)
    held[torch.from_numpy(starts[:-1] + np.floor(drawn * np.diff(starts)).astype(np.int64))] = True
    return held
