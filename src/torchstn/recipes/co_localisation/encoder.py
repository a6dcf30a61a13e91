"""The paper's encoder: a digit classifier, trained on the digits of E, then frozen."""

from pathlib import Path
from typing import cast

from torch import nn

from ...training import Run
from ..digits import Digits
from ..distorted_mnist import make_config
from ..finished import load_run
from ..networks import DigitClassifier
from ..supervised import train as train_classifier
from .config import Config
from .descriptor import Activations, Descriptor

TRAINED_ON = "E"
"""Which digits; of those tried, the ones by which no class prefers windows beside the digit."""


def digit_descriptor(folder: Path, digits: Digits) -> Descriptor:
    """The descriptor of a finished run of distorted-mnist.

    Args:
        folder: The run.
        digits: Such as it was trained on, by which its features are weighed.

    Raises:
        ValueError: If the folder holds none, or one that is no plain cnn on 28 x 28 pixels.
    """
    recipe, config, model = load_run(folder)
    if recipe.shape(config) != (1, 28, 28) or getattr(config, "model", "") != "cnn":
        raise ValueError(
            "`encoder_dir` must hold a cnn of distorted-mnist on 28 x 28 pixels (none, R, P or E), but "
            f"{folder} holds {config.cell} of {recipe.name}."
        )
    layers = cast(nn.Sequential, cast(DigitClassifier, model).classifier)
    return Descriptor(Activations(list(layers)), digits.images[:2000].unsqueeze(1).float() / 255)


def encoder_folder(config: Config, beside: Path) -> Path:
    """Where the encoder's run is, or will be."""
    if config.encoder_dir is not None:
        return Path(config.encoder_dir)
    data = "mnist" if config.data_dir is not None else "mnist-5000"
    without = f"-validation-{config.validation}" if config.validation else ""
    return beside.parent / f"encoder-{TRAINED_ON.lower()}-{data}-{config.encoder_iterations}{without}"


def ensure_encoder(config: Config, beside: Path, *, progress: bool) -> Path:
    """Trains the encoder where none was given and none is there: digits of E, a shorter quick schedule.

    With `validation` on the digits alone that are not held out: none that is looked for has it seen.

    Args:
        config: Says which.
        beside: The run that wants it.
        progress: Whether to show it.

    Returns:
        The folder of its finished run.
    """
    folder = encoder_folder(config, beside)
    if config.encoder_dir is None and Run(folder).result is None:
        choices = make_config(
            TRAINED_ON,
            "cnn",
            preset="quick" if config.data_dir is not None else "demo",
            iterations=config.encoder_iterations,
            data_dir=config.data_dir,
            validation=config.validation,
            threads=config.threads,
            device=config.device,
        )
        train_classifier(choices, folder, resume=True, progress=progress)
    return folder
