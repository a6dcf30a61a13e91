"""Distorted MNIST as the engine wants it."""

from collections.abc import Iterator

from torch import Tensor

from ...data import DISTORTIONS
from ..digits import Digits
from ..recipe import Recipe
from .config import Config
from .data import TrainingBatches, fixed_batches
from .model import build_model
from .paper import paper_error


def _training_batches(config: Config, digits: Digits) -> TrainingBatches:
    return TrainingBatches(
        digits=digits,
        batch=config.batch,
        seed=config.seed,
        distortion=config.distortion,
        anew=config.drawn == "anew",
    )


def _fixed_batches(config: Config, digits: Digits, part: int, parts: int) -> Iterator[tuple[Tensor, Tensor]]:
    return fixed_batches(digits, config.distortion, part=part, parts=parts)


def _canvas(config: Config) -> tuple[int, int, int]:
    return (1, *DISTORTIONS[config.distortion].size)


def _digits_shown(config: Config, digits: Digits) -> Iterator[tuple[Tensor, Tensor]]:
    for pictures, labels in fixed_batches(digits, config.distortion):
        yield pictures, labels[:, None]


RECIPE = Recipe(
    summary="distorted MNIST digits (section 4.1 of the paper): can a network straighten what it reads?",
    config=Config,
    answer="digit",
    classes=10,
    build_model=build_model,
    training_batches=_training_batches,
    fixed_batches=_fixed_batches,
    paper_error=paper_error,
    canvas=_canvas,
    digits_shown=_digits_shown,
)
