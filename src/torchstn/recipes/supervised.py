"""The engine of every supervised recipe: a training from its config to its result."""

from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from .. import SpatialTransformer
from ..training import Reporter, Run, fit, keep_freed_memory
from ..training.progress import Listener
from .begun import check_choices, check_data, commit_of, start
from .judging import error_sums, score
from .optimisation import make_optimiser, make_schedule, make_settings
from .precision import product_type
from .recipe import Recipe
from .record import result_record
from .registry import RECIPES
from .samples import Samples
from .training_config import TrainingConfig
from .watch import Watch
from .width import count_parameters


def train(
    config: TrainingConfig,
    folder: Path | str,
    *,
    resume: bool = False,
    progress: bool = True,
    listener: Listener | None = None,
    samples: Samples | None = None,
) -> dict[str, Any]:
    """Trains a cell of a recipe's table, or goes on where an earlier process stopped.

    Args:
        config: What to train; its class says of which recipe.
        folder: Where the run goes: settings, metrics, checkpoints, weights, result.
        resume: Go on with the run in the folder; without one, start it.
        progress: Show a bar on a terminal, and a line an epoch elsewhere.
        listener: Called with each epoch's record.
        samples: The config's samples, where they are already loaded.

    Returns:
        The result record. A run that has already ended gives its result again.

    Raises:
        ValueError: If the folder holds a run and `resume` is not set, it is a run of another config, or
            another process trains in it; if the data is missing, damaged, or other than it began with.
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
            check_choices(run, config, resume=resume)
        if run.result is not None:
            return run.result
        # Before the folder becomes a run: a refusal must not leave one behind.
        samples = recipe.load(config) if samples is None else samples
        if run.exists():
            _check_same_classes(run, samples)
            check_data(run, samples.origin)
        model = recipe.build_model(config, samples.classes)
        accelerator.wait_for_everyone()
        if accelerator.is_main_process and not run.exists():
            start(run, config, data=samples.origin, classes=samples.classes)
        accelerator.wait_for_everyone()
        return _train(recipe, config, run, samples, model, accelerator, progress, listener)


def _train(
    recipe: Recipe[Any, Any],
    config: TrainingConfig,
    run: Run,
    samples: Samples,
    model: nn.Module,
    accelerator: Accelerator,
    progress: bool,
    listener: Listener | None,
) -> dict[str, Any]:
    version, main = commit_of(run), accelerator.is_main_process
    batches = samples.training()
    whole = config.for_epochs_of(batches.per_epoch)
    fitted = fit(
        model,
        make_optimiser(model, config),
        batches,
        partial(_objective, recipe, config),
        run,
        make_settings(whole, accelerator),
        accelerator=accelerator,
        schedule=make_schedule(whole),
        listener=listener,
        evaluation=partial(error_sums, samples) if config.validation else None,
        observer=Watch(warn=main) if _has_transformer(model) else None,
        reporter=partial(Reporter, config.cell, enabled=progress and main),
    )
    judged = score(samples, fitted.model)
    measured = {} if recipe.measure is None or not main else recipe.measure(samples, fitted.model)
    record = result_record(
        config,
        metric=f"{'validation' if config.validation else 'test'} {recipe.metric.name} (%)",
        value=recipe.metric.of(judged["error"]),
        judged=judged["count"],
        paper=recipe.paper(config),
        parameters=count_parameters(model),
        images_seen=fitted.steps * batches.batch,
        seconds=fitted.seconds,
        products=product_type(config.precision, accelerator.device),
        data=samples.origin,
        version=version,
        measured=measured,
    )
    if main:
        run.save_weights(fitted.model.state_dict())
        run.save_result(record)
    accelerator.wait_for_everyone()
    return record


def _has_transformer(model: nn.Module) -> bool:
    return any(isinstance(module, SpatialTransformer) for module in model.modules())


def _objective(
    recipe: Recipe[Any, Any], config: TrainingConfig, model: nn.Module, inputs: Tensor, *others: Tensor
) -> Mapping[str, Tensor]:
    reduced = product_type(config.precision, inputs.device) == torch.bfloat16
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=reduced):
        outputs = model(inputs)
    return recipe.objective(config, outputs, *others)


def _check_same_classes(run: Run, samples: Samples) -> None:
    if run.classes != samples.classes:
        raise ValueError(
            f"The run cannot be resumed with other classes: they were {', '.join(run.classes)}; the data now "
            f"has {', '.join(samples.classes)}."
        )
