"""MNIST addition as the engine wants it."""

from ..digit_samples import find_digits, measure_straightness
from ..recipe import Recipe
from .config import Config
from .data import CHANNELS, DISTORTION, PairsOfDigits
from .model import build_model
from .paper import paper_error

RECIPE = Recipe(
    summary="sums of two MNIST digits (appendix A.1 of the paper): do two transformers share the work?",
    config=Config,
    find_data=find_digits,
    load=PairsOfDigits.load,
    build_model=lambda config, _: build_model(config),
    shape=lambda config: (CHANNELS, *DISTORTION.size),
    paper=paper_error,
    answer="sum",
    digits_shown=PairsOfDigits.shown,
    measure=measure_straightness,
)
