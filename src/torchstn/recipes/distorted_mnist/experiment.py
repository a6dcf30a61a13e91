"""One training of the recipe from its config to its result, and a finished one taken up again."""

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

from ... import parameter_groups
from ...data import Mnist, load_mnist
from ...training import Reporter, Run, Settings, commit, constant, fit, stairs, warm_cosine
from ...training.progress import Listener
from ...training.schedule import Schedule
from ..watch import Watch
from .config import Config, cell_name
from .data import Digits, TrainingBatches, fixed_batches, split
from .model import CLASSES, DigitClassifier, build_model, count_parameters
from .results import result_record

_MAY_CHANGE = ("data_dir", "threads", "device", "checkpoint_seconds")


def train(
    config: Config,
    folder: Path | str,
    *,
    resume: bool = False,
    progress: bool = True,
    listener: Listener | None = None,
) -> dict[str, Any]:
    """Trains a cell of the table, or goes on where an earlier process stopped.

    Args:
        config: What to train.
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
    if config.threads:
        torch.set_num_threads(config.threads)
    accelerator = Accelerator(cpu=config.device == "cpu" or not torch.cuda.is_available())
    if config.threads:
        torch.set_num_threads(config.threads)  # accelerate sets its own number in several processes
    run = Run(folder)
    with run.lock() if accelerator.is_main_process else nullcontext():
        if run.exists():
            _check_known(run, config, resume)
        if run.result is not None:
            return run.result
        # Before the folder becomes a run: a refusal must not leave one behind.
        mnist = load_mnist(None if config.data_dir is None else Path(config.data_dir))
        model = build_model(config)
        accelerator.wait_for_everyone()
        if accelerator.is_main_process and not run.exists():
            run.start(asdict(config))
        accelerator.wait_for_everyone()
        return _train(config, run, mnist, model, accelerator, progress, listener)


def _train(
    config: Config,
    run: Run,
    mnist: Mnist,
    model: DigitClassifier,
    accelerator: Accelerator,
    progress: bool,
    listener: Listener | None,
) -> dict[str, Any]:
    version = commit()
    digits, held_out = split(mnist, config.validation)
    fitted = fit(
        model,
        _optimiser(model, config),
        TrainingBatches(digits, config.distortion, config.batch, config.seed),
        partial(_objective, precision=config.precision),
        run,
        _settings(config, accelerator),
        accelerator=accelerator,
        schedule=_schedule(config),
        listener=listener,
        evaluation=partial(_sums, digits=held_out, distortion=config.distortion)
        if config.validation
        else None,
        observer=Watch(warn=accelerator.is_main_process) if config.has_transformer else None,
        reporter=partial(Reporter, cell_name(config), enabled=progress and accelerator.is_main_process),
    )
    record = result_record(
        config,
        error=score(fitted.model, held_out, config.distortion)["error"],
        parameters=count_parameters(model),
        steps=fitted.steps,
        seconds=fitted.seconds,
        data=_data(mnist),
        version=version,
    )
    if accelerator.is_main_process:
        run.save_weights(fitted.model.state_dict())
        run.save_result(record)
    accelerator.wait_for_everyone()
    return record


def evaluate(folder: Path | str, *, data_dir: Path | str | None = None) -> dict[str, Any]:
    """Judges a finished run by the pictures it is meant to be judged by.

    Args:
        folder: The run.
        data_dir: The MNIST files; default, where the run found them.

    Returns:
        `error` in per cent, the `count` of digits, and `confusion`, whose row is the digit and whose
        column is what it was taken for.

    Raises:
        ValueError: If the folder holds no finished run, or the data is missing or damaged.
    """
    config, model = load_run(folder)
    place = data_dir if data_dir is not None else config.data_dir
    mnist = load_mnist(None if place is None else Path(place))
    _, held_out = split(mnist, config.validation)
    return score(model, held_out, config.distortion)


def load_run(folder: Path | str) -> tuple[Config, DigitClassifier]:
    """A finished run's config, and its model with the final weights, ready to predict.

    Raises:
        ValueError: If the folder holds no finished run, or its files are damaged.
    """
    run = Run(folder)
    config = _read_config(run)
    model = build_model(config)
    try:
        model.load_state_dict(run.load_weights())
    except RuntimeError as error:
        raise ValueError(f"The weights in `{folder}` do not fit its config: {error}.") from error
    return config, model.eval()


@torch.no_grad()
def score(model: nn.Module, digits: Digits, distortion: str) -> dict[str, Any]:
    """Error in per cent, count, and confusion of a model on digits distorted once and for all."""
    device = next(model.parameters()).device
    confusion = torch.zeros(CLASSES, CLASSES, dtype=torch.int64)
    model.eval()
    for pictures, labels in fixed_batches(digits, distortion):
        guesses = model(pictures.to(device)).argmax(1).cpu()
        confusion += torch.bincount(labels * CLASSES + guesses, minlength=CLASSES**2).view(CLASSES, CLASSES)
    count = int(confusion.sum())
    return {
        "error": 100 * (1 - int(confusion.trace()) / count),
        "count": count,
        "confusion": confusion.tolist(),
    }


def _objective(model: nn.Module, pictures: Tensor, labels: Tensor, *, precision: str) -> dict[str, Tensor]:
    with torch.autocast(pictures.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        logits = model(pictures)
    loss = functional.cross_entropy(logits.float(), labels, reduction="none")
    return {"loss": loss, "error": 100.0 * (logits.argmax(1) != labels)}


def _sums(model: nn.Module, part: int, parts: int, *, digits: Digits, distortion: str) -> Mapping[str, float]:
    """The sums behind the validation error, over one process's share."""
    wrong = count = 0
    device = next(model.parameters()).device
    for pictures, labels in fixed_batches(digits, distortion, part=part, parts=parts):
        wrong += int((model(pictures.to(device)).argmax(1).cpu() != labels).sum())
        count += len(labels)
    return {"validation_error": 100.0 * wrong, "count": count}


def _check_known(run: Run, config: Config, resume: bool) -> None:
    """Refuses a folder that holds a run, unless it is this one's and is to be resumed."""
    if not resume:
        raise ValueError(f"`{run.folder}` already holds a run; resume it, or choose another folder.")
    _check_same(_read_config(run), config)


def _read_config(run: Run) -> Config:
    try:
        return Config(**run.config)
    except TypeError as error:
        raise ValueError(f"`{run.folder}` holds no run of this recipe: {error}.") from error


def _check_same(old: Config, new: Config) -> None:
    before, after = asdict(old), asdict(new)
    changed = [
        f"{name} was {before[name]!r}, now {after[name]!r}"
        for name in before
        if name not in _MAY_CHANGE and before[name] != after[name]
    ]
    if changed:
        raise ValueError(f"The run cannot be resumed with other settings: {'; '.join(changed)}.")


def _optimiser(model: DigitClassifier, config: Config) -> torch.optim.Optimizer:
    groups = parameter_groups(model, config.learning_rate, localisation_scale=config.localisation_rate)
    if config.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)
    return torch.optim.SGD(
        groups, lr=config.learning_rate, momentum=config.momentum, weight_decay=config.weight_decay
    )


def _schedule(config: Config) -> Schedule:
    if config.schedule == "stairs":
        return stairs(config.stair)
    return warm_cosine(config.iterations, config.warm_up) if config.iterations > 1 else constant()


def _settings(config: Config, accelerator: Accelerator) -> Settings:
    return Settings(
        steps=config.iterations,
        seed=config.seed,
        clip_norm=config.clip_norm,
        average_decay=config.average_decay,
        checkpoint_seconds=config.checkpoint_seconds,
        ahead=accelerator.device.type != "cpu",
    )


def _data(mnist: Mnist) -> str:
    return f"{mnist.name}, sha256 {mnist.sha256}"
