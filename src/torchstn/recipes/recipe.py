"""What makes an experiment: a config, a model, samples to train on and samples to be judged by."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from ..training import Batches
from .digits import Digits
from .networks import DigitClassifier
from .training_config import TrainingConfig

C = TypeVar("C", bound=TrainingConfig)


@dataclass(frozen=True)
class Recipe(Generic[C]):
    """A supervised experiment on digits, as `torchstn.recipes.supervised` trains and judges it.

    Attributes:
        summary: What it asks, in a sentence for the command line.
        config: Its choices; also names it.
        answer: What a class is, in a word: "digit".
        classes: How many a model tells apart.
        build_model: A config's model with its initial weights: inputs (b, ...) to logits (b, classes).
        training_batches: A config's samples to train on, made of the training digits.
        fixed_batches: A config's samples to be judged by, made of the held-out digits: what process `part`
            of `parts` has of them, as batches of inputs and labels.
        paper_error: The paper's test error in per cent, or None.
        canvas: The shape (c, h, w) of its inputs where they are pictures, a digit in each channel.
        digits_shown: The same samples as `fixed_batches`: pictures (b, c, h, w), or volumes (b, c, d, h, w),
            and the digit (b, c) in each channel.
        measure: More to say of a finished model than how often it errs and how far it straightens digits.
    """

    summary: str
    config: type[C]
    answer: str
    classes: int
    build_model: Callable[[C], nn.Module]
    training_batches: Callable[[C, Digits], Batches]
    fixed_batches: Callable[[C, Digits, int, int], Iterator[tuple[Tensor, Tensor]]]
    paper_error: Callable[[C], float | None]
    digits_shown: Callable[[C, Digits], Iterator[tuple[Tensor, Tensor]]]
    canvas: Callable[[C], tuple[int, int, int]] | None = None
    measure: Callable[[C, Digits, DigitClassifier], Mapping[str, Any]] | None = None

    @property
    def name(self) -> str:
        """As the command line and the results call it."""
        return self.config.recipe
