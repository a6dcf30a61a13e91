"""Distorted MNIST as the engine wants it."""

from ...data import DISTORTIONS
from ..digit_samples import find_digits, measure_straightness
from ..recipe import Recipe
from .config import Config
from .data import DistortedDigits
from .model import build_model
from .paper import paper_error


def _shape(config: Config) -> tuple[int, ...]:
    return (1, *DISTORTIONS[config.distortion].size)


RECIPE = Recipe(
    summary="distorted MNIST digits (section 4.1 of the paper): can a network straighten what it reads?",
    config=Config,
    find_data=find_digits,
    load=DistortedDigits.load,
    build_model=lambda config, _: build_model(config),
    shape=_shape,
    paper=paper_error,
    answer="digit",
    digits_shown=DistortedDigits.shown,
    measure=measure_straightness,
)
