"""Digits in space as the engine wants them."""

from ..digit_samples import find_digits
from ..recipe import Recipe
from .config import Config
from .data import Volumes
from .extrusion import SIDE
from .measure import measure
from .model import build_model

RECIPE = Recipe(
    summary="digits in space (appendix A.3 of the paper): can a network turn them to face it?",
    config=Config,
    find_data=find_digits,
    load=Volumes.load,
    build_model=lambda config, _: build_model(config),
    shape=lambda config: (1, SIDE, SIDE, SIDE),
    paper=lambda config: None,  # the paper shows the experiment and gives no number
    answer="digit",
    digits_shown=Volumes.shown,
    measure=measure,
)
