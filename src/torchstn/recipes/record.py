"""The result record of one training, and where it is kept."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import torch

from ..training import machine
from .precision import AUTO
from .training_config import Choices

_UNNAMED = ("preset", "seed", "data_dir", "threads", "device", "checkpoint_seconds")


def result_record(
    config: Choices,
    *,
    metric: str,
    value: float,
    judged: int,
    paper: float | None,
    parameters: int,
    images_seen: int,
    seconds: float,
    products: torch.dtype,
    data: str,
    version: str | None,
    measured: Mapping[str, Any],
) -> dict[str, Any]:
    """What is kept of a training.

    Args:
        config: The training.
        metric: What is counted.
        value: In per cent, of the samples it was judged by.
        judged: How many these were.
        paper: The paper's number, if it has one; kept of what can be held against it alone, a training on the
            whole data set that is judged by its test samples.
        parameters: Learnable numbers of the model.
        images_seen: How many it was trained on, each as often as it came.
        seconds: Time spent training.
        products: The type in which the network's were computed.
        data: Which data set, by name and checksum.
        version: The commit of the code as the training began.
        measured: What else is known of the finished model.

    Returns:
        A record that JSON can hold.
    """
    return {
        "recipe": config.recipe,
        "cell": config.cell,
        "seed": config.seed,
        "metric": metric,
        "value": round(value, 4),
        "judged": judged,
        "paper": None if config.validation or config.data_dir is None else paper,
        "parameters": parameters,
        "preset": config.preset,
        "images_seen": images_seen,
        "wall_seconds": round(seconds, 1),
        "products": str(products).removeprefix("torch."),
        "machine": machine(),
        "commit": version,
        "data": data,
        "command": command(config),
        "settings": settings(config),
        "measured": dict(measured),
    }


def result_path(folder: Path, config: Choices) -> Path:
    """Where a result belongs below the folder of all results."""
    return folder / config.recipe / config.preset / config.cell / f"seed-{config.seed}.json"


def run_name(config: Choices) -> str:
    """What the folder of a run is called that was given no name."""
    return f"{config.title}-{config.preset}-seed-{config.seed}"


def command(config: Choices) -> str:
    """The command that makes the training again; only what differs from the preset is named."""
    words = ["torchstn", "train", config.recipe, *_options(config.cell_choices)]
    words += ["--preset", config.preset, "--seed", str(config.seed)]
    if config.data_dir is not None:
        words += config.DATA
    words += _options(differences(config))
    return " ".join(words)


def settings(config: Choices) -> dict[str, Any]:
    """What was chosen for a training, by field; not its cell, its seed, its place, and how it was watched."""
    return {name: value for name, value in asdict(config).items() if name not in (*_UNNAMED, *config.CELL)}


def changed_settings(record: Mapping[str, Any], config: Choices) -> list[str]:
    """In what the training of a record was another than a config would now be, one phrase each."""
    return [f"{then}, now {now}" for then, now in _changes(record, config).values()]


def departures(record: Mapping[str, Any], config: Choices) -> list[str]:
    """In what a config departs from its preset, one phrase each, where a record of the same cell does not.

    Nothing if the record departs, too, in more than what gives the cell another name.
    """
    usual, own = _usual(config), differences(config)
    kept = _changes(record, usual)
    if kept and (usual.cell == config.cell or kept.keys() - own):
        return []
    return [f"{name} {own[name]}" for name in own if name not in kept]


def _changes(record: Mapping[str, Any], config: Choices) -> dict[str, tuple[str, str]]:
    """Settings of a record that a config has otherwise: by name, then and now.

    A record from before settings were kept tells by its number of images alone. A setting that there was not
    then had the value that is now its default. What is left to the processor to choose may have been either.
    """
    now = settings(config)
    if (then := record.get("settings")) is None:
        images, seen = images_of(config), record.get("images_seen")
        if images is None or seen in (None, images):
            return {}
        return {"iterations": (f"{seen:,} images", f"{images:,}")}
    then = {item.name: item.default for item in fields(config) if item.default is not MISSING} | dict(then)
    return {
        name: (f"{name} {then[name]}", f"{now[name]}")
        for name in then
        if name in now and then[name] != now[name] and now[name] != AUTO
    }


def images_of(config: Choices) -> int | None:
    """How many a training sees; None where that follows from its data."""
    choices = asdict(config)
    steps = steps_of(choices)
    return steps * choices["batch"] if steps else None


def steps_of(choices: Mapping[str, Any]) -> int | None:
    """Steps of a whole training, all its attempts together; None where they follow from its data."""
    steps = choices.get("iterations")
    return None if steps is None else steps * choices.get("attempts", 1)


def differences(config: Choices) -> dict[str, Any]:
    """The fields in which a config departs from what its preset makes of its cell, but for the cell."""
    usual = settings(_usual(config))
    return {name: value for name, value in settings(config).items() if value != usual[name]}


def _usual(config: Choices) -> Choices:
    """What its preset makes of its cell."""
    return type(config).make(config.preset, **config.cell_choices)


def _options(values: Mapping[str, Any]) -> list[str]:
    return [word for name, value in values.items() for word in (f"--{name.replace('_', '-')}", str(value))]
