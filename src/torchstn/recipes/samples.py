"""What a training learns from and is judged by, once it is loaded."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from torch import Tensor

from .shuffled import Shuffled

Batch = tuple[Tensor, Tensor]
"""Inputs (b, ...), and their labels: (b,) of one class each, or (b, k) of k, one a position."""


class Samples(ABC):
    """The data of one config.

    Attributes:
        origin: The data set, by name and checksum, as results say it.
        classes: What is told apart, by name, in the order of a model's outputs; empty where the recipe
            itself says it. Kept with the run, as the data may not be at hand when its model is used.
    """

    origin: str
    classes: tuple[str, ...] = ()

    @abstractmethod
    def training(self) -> Shuffled:
        """What to train on: batches of inputs, labels, and whatever else the recipe's objective takes.

        Raises:
            ValueError: If there are too few for one batch.
        """

    @abstractmethod
    def held_out(self, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        """What to be judged by, always the same.

        Args:
            part: Which process asks,
            parts: of how many; each gets its own share.
        """

    @abstractmethod
    def __len__(self) -> int:
        """How many samples there are to be judged by."""
