"""House numbers as the engine wants them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ...data.svhn import NOTHING, find_svhn
from ..judging import Metric, wrong
from ..recipe import Recipe
from .augmentation import normalised
from .config import Config
from .data import HouseNumbers, load
from .model import SequenceReader, build_model
from .paper import paper_error


def _find_data(given: Path | None, _: str) -> Path:
    return find_svhn(given)


@torch.no_grad()
def measure(samples: HouseNumbers, model: SequenceReader) -> Mapping[str, Any]:
    """How often numbers of each length are misread.

    Returns:
        Under "by_length", by the count of digits: `count` and `error` in per cent.
    """
    device = next(model.parameters()).device
    lengths, mistakes = [], []
    for pictures, labels in samples.held_out():
        lengths.append((labels != NOTHING).sum(1))
        mistakes.append(wrong(model(pictures.to(device)).cpu(), labels))
    length, mistaken = torch.cat(lengths), torch.cat(mistakes)
    found = {}
    for digits in length.unique().tolist():
        of_length = mistaken[length == digits]
        found[str(digits)] = {"count": len(of_length), "error": 100 * float(of_length.double().mean())}
    return {"by_length": found}


RECIPE = Recipe(
    summary="house numbers in photographs (section 4.2 of the paper): where are digits, and which?",
    config=Config,
    find_data=_find_data,
    load=load,
    build_model=lambda config, _: build_model(config),
    shape=lambda config: (3, config.side, config.side),
    paper=paper_error,
    metric=Metric("sequence error"),
    answer="number",
    prepare=lambda pictures: normalised(255 * pictures),
    measure=measure,
)
