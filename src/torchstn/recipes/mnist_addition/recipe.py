"""MNIST addition as the engine wants it."""

from collections.abc import Iterator

from torch import Tensor

from ..digits import Digits
from ..recipe import Recipe
from .config import Config
from .data import CHANNELS, DISTORTION, TrainingBatches, fixed_pairs
from .model import CLASSES, build_model
from .paper import paper_error


def _training_batches(config: Config, digits: Digits) -> TrainingBatches:
    return TrainingBatches(digits=digits, batch=config.batch, seed=config.seed)


def _fixed_batches(_: Config, digits: Digits, part: int, parts: int) -> Iterator[tuple[Tensor, Tensor]]:
    for pairs in fixed_pairs(digits, part, parts):
        yield pairs.pictures, pairs.sums


def _canvas(_: Config) -> tuple[int, int, int]:
    return (CHANNELS, *DISTORTION.size)


def _digits_shown(_: Config, digits: Digits) -> Iterator[tuple[Tensor, Tensor]]:
    yield from fixed_pairs(digits)


RECIPE = Recipe(
    summary="sums of two MNIST digits (appendix A.1 of the paper): do two transformers share the work?",
    config=Config,
    answer="sum",
    classes=CLASSES,
    build_model=build_model,
    training_batches=_training_batches,
    fixed_batches=_fixed_batches,
    paper_error=paper_error,
    canvas=_canvas,
    digits_shown=_digits_shown,
)
