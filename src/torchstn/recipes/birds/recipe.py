"""Birds as the engine wants them."""

from ..judging import ACCURACY
from ..recipe import Recipe
from .config import Config
from .data import Birds, find_birds
from .model import build_model
from .paper import paper_accuracy
from .parts import measure

RECIPE = Recipe(
    summary="birds, CUB-200-2011 (section 4.3 of the paper): do transformers find the parts to look at?",
    config=Config,
    find_data=find_birds,
    load=Birds.load,
    build_model=build_model,
    shape=lambda config: (3, config.side, config.side),
    paper=paper_accuracy,
    metric=ACCURACY,
    answer="species",
    measure=measure,
)
