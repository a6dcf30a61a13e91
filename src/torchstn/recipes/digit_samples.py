"""Samples made of the digits of MNIST, and where these come from."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from ..data import get_data_dir, load_mnist
from ..data.mnist_files import find_mnist
from .digit_config import DigitConfig
from .digits import Digits, split
from .networks import DigitClassifier
from .samples import Batch, Samples
from .straightness import straightness

C = TypeVar("C", bound=DigitConfig)


@dataclass(frozen=True, eq=False)
class DigitSamples(Samples, Generic[C]):
    """What a config makes of digits.

    Attributes:
        config: The config.
        learnt: The digits to train on.
        held: Those to be judged by.
        origin: The data set, by name and checksum.
    """

    config: C
    learnt: Digits
    held: Digits
    origin: str = ""

    @classmethod
    def load(cls, config: C) -> Self:
        """Of the files that the config names, or of the embedded digits.

        Raises:
            ValueError: If the data is missing or damaged, or nothing would be left to train on.
        """
        mnist = load_mnist(None if config.data_dir is None else Path(config.data_dir))
        return cls(config, *split(mnist, config.validation), f"{mnist.name}, sha256 {mnist.sha256}")

    def __len__(self) -> int:
        return len(self.held)

    @abstractmethod
    def shown(self) -> Iterator[Batch]:
        """As `held_out`, with the digit (b, c) in each channel in place of the labels."""


def measure_straightness(samples: DigitSamples[Any], model: DigitClassifier) -> Mapping[str, Any]:
    """How far transformers straighten digits, see `Straightness`: `straight_before`, `straight_after`."""
    if not model.transformers:
        return {}
    found = straightness(model, samples.shown())
    return {"straight_before": found.before.tolist(), "straight_after": found.after.tolist()}


def find_digits(given: Path | None, preset: str) -> Path | None:
    """The folder given, else that of the downloaded MNIST if it is there, else None: the embedded digits.

    The demo takes the embedded digits unless a folder is given.

    Raises:
        ValueError: If the folder given does not hold the files.
    """
    if given is not None:
        find_mnist(given)
        return given
    if preset == "demo":
        return None
    try:
        find_mnist(get_data_dir())
    except (ValueError, OSError):
        return None
    return get_data_dir()
