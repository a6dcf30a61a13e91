"""The result record of one training, and the paper's number beside it."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from ...training import machine
from .config import Config, cell_name, load_preset

RECIPE = "distorted-mnist"

_PAPER = {
    "r": {
        "fcn": 2.1,
        "cnn": 1.2,
        "st-fcn-affine": 1.2,
        "st-fcn-projective": 1.3,
        "st-fcn-tps": 1.1,
        "st-cnn-affine": 0.7,
        "st-cnn-projective": 0.8,
        "st-cnn-tps": 0.7,
    },
    "rts": {
        "fcn": 5.2,
        "cnn": 0.8,
        "st-fcn-affine": 0.8,
        "st-fcn-projective": 0.9,
        "st-fcn-tps": 0.8,
        "st-cnn-affine": 0.5,
        "st-cnn-projective": 0.6,
        "st-cnn-tps": 0.5,
    },
    "p": {
        "fcn": 3.1,
        "cnn": 1.5,
        "st-fcn-affine": 1.5,
        "st-fcn-projective": 1.4,
        "st-fcn-tps": 1.4,
        "st-cnn-affine": 0.8,
        "st-cnn-projective": 0.8,
        "st-cnn-tps": 0.8,
    },
    "e": {
        "fcn": 3.2,
        "cnn": 1.4,
        "st-fcn-affine": 2.7,
        "st-fcn-projective": 2.6,
        "st-fcn-tps": 2.4,
        "st-cnn-affine": 1.2,
        "st-cnn-projective": 1.3,
        "st-cnn-tps": 1.1,
    },
    # For TC the paper does not say which transformation: its numbers stand beside the affine ones.
    "tc": {"fcn": 13.2, "cnn": 3.5, "st-fcn-affine": 2.0, "st-cnn-affine": 1.7},
}
_UNNAMED = (
    "distortion",
    "model",
    "transform",
    "preset",
    "seed",
    "data_dir",
    "threads",
    "device",
    "checkpoint_seconds",
)


def paper_error(config: Config) -> float | None:
    """The paper's test error in per cent for a cell (table 1; TC: text of section 4.1), or None."""
    experiment, _, model = cell_name(config).partition("/")
    return _PAPER.get(experiment, {}).get(model)


def result_record(
    config: Config,
    *,
    error: float,
    parameters: int,
    steps: int,
    seconds: float,
    data: str,
    version: str | None,
) -> dict[str, Any]:
    """What is kept of a training.

    Args:
        config: The training.
        error: In per cent, of the digits it was judged by.
        parameters: Learnable numbers of the model.
        steps: Optimiser steps.
        seconds: Time spent training.
        data: Which data set, by name and checksum.
        version: The commit of the code as the training began.

    Returns:
        A record that JSON can hold.
    """
    held_out = "validation error (%)" if config.validation else "test error (%)"
    return {
        "recipe": RECIPE,
        "cell": cell_name(config),
        "seed": config.seed,
        "metric": held_out,
        "value": round(error, 4),
        "paper": paper_error(config),
        "parameters": parameters,
        "preset": config.preset,
        "images_seen": steps * config.batch,
        "wall_seconds": round(seconds, 1),
        "machine": machine(),
        "commit": version,
        "data": data,
        "command": command(config),
    }


def result_path(folder: Path, config: Config) -> Path:
    """Where a result belongs below the folder of all results."""
    return folder / RECIPE / cell_name(config) / f"seed-{config.seed}.json"


def command(config: Config) -> str:
    """The command that makes the training again; only what differs from the preset is named."""
    words = ["torchstn", "train", RECIPE, "--distortion", config.distortion, "--model", config.model]
    if config.has_transformer:
        words += ["--transform", config.transform]
    words += ["--preset", config.preset, "--seed", str(config.seed)]
    if config.data_dir is not None:
        words += ["--data-dir", "DATA"]
    for name, value in differences(config).items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return " ".join(words)


def differences(config: Config) -> dict[str, Any]:
    """The fields in which a config departs from its preset and from the defaults."""
    usual = {item.name: item.default for item in fields(config)} | load_preset(config.preset)
    values = {item.name: getattr(config, item.name) for item in fields(config) if item.name not in _UNNAMED}
    return {name: value for name, value in values.items() if value != usual[name]}
