"""A finished run of any recipe taken up again: its config, its model, how it does."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from ..data import load_mnist
from ..training import Run
from .digits import Digits, split
from .recipe import Recipe
from .registry import RECIPES
from .straightness import straightness
from .training_config import TrainingConfig

_FIRST = "distorted-mnist"
"""The recipe of runs whose config does not name one."""


class Finished(NamedTuple):
    """A finished run.

    Attributes:
        recipe: Of which experiment.
        config: Its choices.
        model: With the final weights, ready to predict.
    """

    recipe: Recipe[Any]
    config: Any
    model: Any


def load_run(folder: Path | str) -> Finished:
    """A finished run's recipe, config and model.

    Raises:
        ValueError: If the folder holds no finished run, or its files are damaged.
    """
    run = Run(folder)
    config = read_config(run)
    recipe = RECIPES[config.recipe]
    model = recipe.build_model(config)
    try:
        model.load_state_dict(run.load_weights())
    except RuntimeError as error:
        raise ValueError(f"The weights in `{folder}` do not fit its config: {error}.") from error
    return Finished(recipe, config, model.eval())


def read_config(run: Run) -> TrainingConfig:
    """The config of a run, finished or not.

    Raises:
        ValueError: If the folder holds no run of a supervised recipe.
    """
    settings = run.config
    name = settings.pop("recipe", _FIRST)
    if name not in RECIPES:
        raise ValueError(f"`{run.folder}` holds a run of {name!r}; known here are {', '.join(RECIPES)}.")
    try:
        return RECIPES[name].config(**settings)
    except TypeError as error:
        raise ValueError(f"`{run.folder}` holds no run of {name}: {error}.") from error


def held_out_digits(config: TrainingConfig, data_dir: Path | str | None = None) -> Digits:
    """The digits a run is judged by.

    Args:
        config: The run's.
        data_dir: The MNIST files; default, where the run found them.
    """
    place = data_dir if data_dir is not None else config.data_dir
    return split(load_mnist(None if place is None else Path(place)), config.validation)[1]


def evaluate(folder: Path | str, *, data_dir: Path | str | None = None) -> dict[str, Any]:
    """Judges a finished run by the samples it is meant to be judged by.

    Args:
        folder: The run.
        data_dir: The MNIST files; default, where the run found them.

    Returns:
        `error` in per cent, the `count` of samples, `confusion`, whose row is the class and whose
        column is what it was taken for; of digits behind transformers `straight_before` for each channel and
        `straight_after` for each transformer and channel, see `Straightness`; and what else the recipe
        measures.

    Raises:
        ValueError: If the folder holds no finished run, or the data is missing or damaged.
    """
    recipe, config, model = load_run(folder)
    digits = held_out_digits(config, data_dir)
    judged = score(recipe, config, model, digits)
    if model.transformers:
        found = straightness(model, recipe.digits_shown(config, digits))
        judged |= {"straight_before": found.before.tolist(), "straight_after": found.after.tolist()}
    return judged if recipe.measure is None else judged | dict(recipe.measure(config, digits, model))


@torch.no_grad()
def score(recipe: Recipe[Any], config: TrainingConfig, model: nn.Module, digits: Digits) -> dict[str, Any]:
    """Error in per cent, count, and confusion of a model on the samples made once and for all of digits."""
    device, classes = next(model.parameters()).device, recipe.classes
    confusion = torch.zeros(classes, classes, dtype=torch.int64)
    model.eval()
    for pictures, labels in recipe.fixed_batches(config, digits, 0, 1):
        guesses = model(pictures.to(device)).argmax(1).cpu()
        confusion += torch.bincount(labels * classes + guesses, minlength=classes**2).view(classes, classes)
    count = int(confusion.sum())
    return {
        "error": 100 * (1 - int(confusion.trace()) / count),
        "count": count,
        "confusion": confusion.tolist(),
    }
