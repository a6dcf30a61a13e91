"""Digits in space as the engine wants them."""

from ..recipe import Recipe
from .config import Config
from .data import digits_shown, fixed_batches, training_batches
from .measure import measure
from .model import CLASSES, build_model

RECIPE = Recipe(
    summary="digits in space (appendix A.3 of the paper): can a network turn them to face it?",
    config=Config,
    answer="digit",
    classes=CLASSES,
    build_model=build_model,
    training_batches=training_batches,
    fixed_batches=fixed_batches,
    paper_error=lambda config: None,  # the paper shows the experiment and gives no number
    digits_shown=digits_shown,
    measure=measure,
)
