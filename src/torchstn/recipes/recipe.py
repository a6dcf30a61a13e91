"""What makes an experiment: a config, a model, samples to train on and samples to be judged by."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from .judging import ERROR, Metric, cross_entropy
from .samples import Batch, Samples
from .training_config import TrainingConfig

C = TypeVar("C", bound=TrainingConfig)
S = TypeVar("S", bound=Samples)


@dataclass(frozen=True)
class Recipe(Generic[C, S]):
    """A supervised experiment, as `torchstn.recipes.supervised` trains and judges it.

    Attributes:
        summary: What it asks, in a sentence for the command line.
        config: Its choices; also names it.
        find_data: Which folder to take the data from, of the one the user names, if any, and the preset;
            None where the data needs no folder. Refuses a folder that does not hold it.
        load: A config's samples. Whatever may be wrong with the data is found here.
        build_model: A config's model with its initial weights, given the names of the samples' classes:
            inputs to logits (b, classes), or (b, k, classes) where samples have k labels each.
        shape: Of a config, the shape (c, *size) of one input.
        paper: The paper's number for a config, or None.
        objective: Of a config, the model's outputs and what else a batch holds: "loss" to minimise and
            "error" in per cent, (b,) each, and any other number to log.
        metric: What the table of results counts.
        answer: What a class is, in a word: "digit".
        digits_shown: The samples to be judged by, where they are digits: pictures (b, c, h, w), or volumes
            (b, c, d, h, w), and the digit (b, c) in each channel.
        prepare: Pictures in [0, 1] to the network's inputs, where these are others.
        measure: More to say of a finished model than how often it errs.
    """

    summary: str
    config: type[C]
    find_data: Callable[[Path | None, str], Path | None]
    load: Callable[[C], S]
    build_model: Callable[[C, Sequence[str]], nn.Module]
    shape: Callable[[C], tuple[int, ...]]
    paper: Callable[[C], float | None]
    objective: Callable[..., Mapping[str, Tensor]] = cross_entropy
    metric: Metric = ERROR
    answer: str = "class"
    digits_shown: Callable[[S], Iterator[Batch]] | None = None
    prepare: Callable[[Tensor], Tensor] | None = None
    measure: Callable[[S, Any], Mapping[str, Any]] | None = None

    @property
    def name(self) -> str:
        """As the command line and the results call it."""
        return self.config.recipe
