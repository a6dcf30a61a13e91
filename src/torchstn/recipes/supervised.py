"""The engine of every supervised recipe: a training from its config to its result."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional

from .. import SpatialTransformer
from ..data import Mnist, load_mnist
from ..training import Reporter, Run, commit, fit, keep_freed_memory
from ..training.progress import Listener
from .digits import Digits, split
from .finished import read_config, score
from .optimisation import make_optimiser, make_schedule, make_settings
from .recipe import Recipe
from .record import result_record
from .registry import RECIPES
from .training_config import TrainingConfig
from .watch import Watch
from .width import count_parameters

_MAY_CHANGE = ("data_dir", "threads", "device", "checkpoint_seconds")


def train(
    config: TrainingConfig,
    folder: Path | str,
    *,
    resume: bool = False,
    progress: bool = True,
    listener: Listener | None = None,
) -> dict[str, Any]:
    """Trains a cell of a recipe's table, or goes on where an earlier process stopped.

    Args:
        config: What to train; its class says of which recipe.
        folder: Where the run goes: settings, metrics, checkpoints, weights, result.
        resume: Go on with the run in the folder; without one, start it.
        progress: Show a bar on a terminal, and a line an epoch elsewhere.
        listener: Called with each epoch's record.

    Returns:
        The result record. A run that has already ended gives its result again.

    Raises:
        ValueError: If the folder holds a run and `resume` is not set, it is a run of another config, or
            another process trains in it; if the data is missing or damaged.
    """
    keep_freed_memory()
    if config.threads:
        torch.set_num_threads(config.threads)
    accelerator = Accelerator(cpu=config.device == "cpu" or not torch.cuda.is_available())
    if config.threads:
        torch.set_num_threads(config.threads)  # accelerate sets its own number in several processes
    recipe, run = RECIPES[config.recipe], Run(folder)
    with run.lock() if accelerator.is_main_process else nullcontext():
        if run.exists():
            _check_known(run, config, resume)
        if run.result is not None:
            return run.result
        # Before the folder becomes a run: a refusal must not leave one behind.
        mnist = load_mnist(None if config.data_dir is None else Path(config.data_dir))
        model = recipe.build_model(config)
        accelerator.wait_for_everyone()
        if accelerator.is_main_process and not run.exists():
            run.start({"recipe": config.recipe, **asdict(config)})
        accelerator.wait_for_everyone()
        return _train(recipe, config, run, mnist, model, accelerator, progress, listener)


def _train(
    recipe: Recipe[Any],
    config: TrainingConfig,
    run: Run,
    mnist: Mnist,
    model: nn.Module,
    accelerator: Accelerator,
    progress: bool,
    listener: Listener | None,
) -> dict[str, Any]:
    version, main = commit(), accelerator.is_main_process
    digits, held_out = split(mnist, config.validation)
    fitted = fit(
        model,
        make_optimiser(model, config),
        recipe.training_batches(config, digits),
        partial(_objective, precision=config.precision),
        run,
        make_settings(config, accelerator),
        accelerator=accelerator,
        schedule=make_schedule(config),
        listener=listener,
        evaluation=partial(_sums, recipe, config, held_out) if config.validation else None,
        observer=Watch(warn=main) if _has_transformer(model) else None,
        reporter=partial(Reporter, config.cell, enabled=progress and main),
    )
    record = result_record(
        config,
        error=score(recipe, config, fitted.model, held_out)["error"],
        paper=recipe.paper_error(config),
        parameters=count_parameters(model),
        steps=fitted.steps,
        seconds=fitted.seconds,
        data=f"{mnist.name}, sha256 {mnist.sha256}",
        version=version,
    )
    if main:
        run.save_weights(fitted.model.state_dict())
        run.save_result(record)
    accelerator.wait_for_everyone()
    return record


def _has_transformer(model: nn.Module) -> bool:
    return any(isinstance(module, SpatialTransformer) for module in model.modules())


def _objective(model: nn.Module, pictures: Tensor, labels: Tensor, *, precision: str) -> dict[str, Tensor]:
    with torch.autocast(pictures.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        logits = model(pictures)
    loss = functional.cross_entropy(logits.float(), labels, reduction="none")
    return {"loss": loss, "error": 100.0 * (logits.argmax(1) != labels)}


def _sums(
    recipe: Recipe[Any], config: TrainingConfig, digits: Digits, model: nn.Module, part: int, parts: int
) -> Mapping[str, float]:
    """The sums behind the validation error, over one process's share."""
    wrong = count = 0
    device = next(model.parameters()).device
    for pictures, labels in recipe.fixed_batches(config, digits, part, parts):
        wrong += int((model(pictures.to(device)).argmax(1).cpu() != labels).sum())
        count += len(labels)
    return {"validation_error": 100.0 * wrong, "count": count}


def _check_known(run: Run, config: TrainingConfig, resume: bool) -> None:
    """Refuses a folder that holds a run, unless it is this one's and is to be resumed."""
    if not resume:
        raise ValueError(f"`{run.folder}` already holds a run; resume it, or choose another folder.")
    _check_same(read_config(run), config)


def _check_same(old: TrainingConfig, new: TrainingConfig) -> None:
    before = {"recipe": old.recipe, **asdict(old)}
    after = {"recipe": new.recipe, **asdict(new)}
    changed = [
        f"{name} was {before[name]!r}, now {after[name]!r}"
        for name in before
        if name in after and name not in _MAY_CHANGE and before[name] != after[name]
    ]
    if changed:
        raise ValueError(f"The run cannot be resumed with other settings: {'; '.join(changed)}.")
