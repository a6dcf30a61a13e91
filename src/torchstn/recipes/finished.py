"""A finished run of any recipe taken up again: its config, its model, how it does."""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ..training import Run, keep_freed_memory
from .begun import read_config
from .judging import score
from .recipe import Recipe
from .registry import RECIPES
from .samples import Samples
from .training_config import TrainingConfig


class Finished(NamedTuple):
    """A finished run.

    Attributes:
        recipe: Of which experiment.
        config: Its choices.
        model: With the final weights, ready to predict.
    """

    recipe: Recipe[Any, Any]
    config: Any
    model: Any


def load_run(folder: Path | str) -> Finished:
    """A finished run's recipe, config and model; the process keeps freed memory from here on, as in training.

    Raises:
        ValueError: If the folder holds no finished run, or its files are damaged.
    """
    keep_freed_memory()
    run = Run(folder)
    config = read_config(run, {name: recipe.config for name, recipe in RECIPES.items()})
    recipe = RECIPES[config.recipe]
    model = recipe.build_model(config.untrained(), run.classes)
    try:
        model.load_state_dict(run.load_weights())
    except RuntimeError as error:
        raise ValueError(f"The weights in `{folder}` do not fit its config: {error}.") from error
    return Finished(recipe, config, model.eval())


def load_samples(config: TrainingConfig, data_dir: Path | str | None = None) -> Samples:
    """The data of a run.

    Args:
        config: The run's.
        data_dir: Its folder; default, where the run found it.

    Raises:
        ValueError: If the data is missing or damaged.
    """
    elsewhere = config if data_dir is None else replace(config, data_dir=str(data_dir))
    samples: Samples = RECIPES[config.recipe].load(elsewhere)
    return samples


def evaluate(folder: Path | str, *, data_dir: Path | str | None = None) -> dict[str, Any]:
    """Judges a finished run by the samples it is meant to be judged by.

    Args:
        folder: The run.
        data_dir: Folder of the data; default, where the run found it.

    Returns:
        `error` in per cent, the `count` of samples, `confusion`, whose row is the class and whose
        column is what it was taken for; of digits behind transformers `straight_before` for each channel and
        `straight_after` for each transformer and channel, see `Straightness`; and what else the recipe
        measures.

    Raises:
        ValueError: If the folder holds no finished run, or the data is missing or damaged.
    """
    recipe, config, model = load_run(folder)
    samples = load_samples(config, data_dir)
    judged = score(samples, model)
    return judged if recipe.measure is None else judged | dict(recipe.measure(samples, model))
