"""A user's own pictures as the engine wants them."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ..judging import cross_entropy
from ..recipe import Recipe
from .config import Config
from .data import Pictures
from .model import build_model


def weighted(config: Config, logits: Tensor, labels: Tensor, weights: Tensor) -> Mapping[str, Tensor]:
    """Cross-entropy in which a sample counts what its class does."""
    values = cross_entropy(config, logits, labels)
    return {"loss": values["loss"] * weights, "error": values["error"]}


def _find(given: Path | None, _: str) -> Path | None:
    if given is not None and not given.is_dir():
        raise ValueError(f"{given}: this is not a folder; name one that holds the images.")
    return given


RECIPE = Recipe(
    summary="your own images: which class is it, and where is that to be seen?",
    config=Config,
    find_data=_find,
    load=Pictures.load,
    build_model=build_model,
    shape=lambda config: (3, config.size, config.size),
    paper=lambda config: None,
    objective=weighted,
)
