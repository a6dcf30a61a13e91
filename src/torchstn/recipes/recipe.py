"""What makes an experiment: a config, a model, samples to train on and samples to be judged by."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from torch import Tensor, nn

from ..training import Batches
from .digits import Digits
from .training_config import TrainingConfig

C = TypeVar("C", bound=TrainingConfig)
C_contra = TypeVar("C_contra", bound=TrainingConfig, contravariant=True)


class FixedBatches(Protocol[C_contra]):
    """`fixed_batches(config, digits, part, parts)` -> one process's share of what all runs are judged by."""

    def __call__(
        self, config: C_contra, digits: Digits, part: int = 0, parts: int = 1
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields inputs (b, ...) and labels (b,)."""


@dataclass(frozen=True)
class Recipe(Generic[C]):
    """A supervised experiment on digits, as `torchstn.recipes.supervised` trains and judges it.

    Attributes:
        summary: What it asks, in a sentence for the command line.
        config: Its choices; also names it.
        classes: How many a model tells apart.
        build_model: A config's model with its initial weights: inputs (b, ...) to logits (b, classes).
        training_batches: A config's samples to train on, made of the training digits.
        fixed_batches: A config's samples to be judged by, made of the held-out digits.
        paper_error: The paper's test error in per cent, or None.
        measure: More to say of a finished model on the held-out digits than how often it errs.
    """

    summary: str
    config: type[C]
    classes: int
    build_model: Callable[[C], nn.Module]
    training_batches: Callable[[C, Digits], Batches]
    fixed_batches: FixedBatches[C]
    paper_error: Callable[[C], float | None]
    measure: Callable[[C, Digits, nn.Module], Mapping[str, Any]] | None = None

    @property
    def name(self) -> str:
        """As the command line and the results call it."""
        return self.config.recipe
