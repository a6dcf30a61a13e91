"""Every choice of one training, and the presets that make most of them."""

import math
import tomllib
from dataclasses import dataclass, field, fields
from importlib import resources
from typing import Any

from ...data import DISTORTIONS

MODELS = ("fcn", "cnn", "st-fcn", "st-cnn")
TRANSFORMS = ("affine", "projective", "tps")
PRESETS = ("demo", "quick", "paper")
NO_TRANSFORM = "none"

_CHOICES = {
    "distortion": tuple(DISTORTIONS),
    "model": MODELS,
    "preset": PRESETS,
    "device": ("auto", "cpu"),
    "optimiser": ("sgd", "adamw"),
    "schedule": ("cosine", "stairs"),
    "precision": ("float32", "bfloat16"),
}
_AT_LEAST = {
    "parameters": 1,
    "iterations": 1,
    "batch": 1,
    "seed": 0,
    "threads": 0,
    "validation": 0,
    "warm_up": 0,
    "stair": 0,
    "learning_rate": 0,
    "localisation_rate": 0,
    "momentum": 0,
    "weight_decay": 0,
    "clip_norm": 0,
    "average_decay": 0,
    "checkpoint_seconds": 0,
}


def _setting(text: str, default: Any = ...) -> Any:
    metadata = {"help": text}
    return field(metadata=metadata) if default is ... else field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Config:
    """Every choice of one training; each field's `metadata["help"]` says what it is.

    Raises:
        ValueError: If a value is out of range, or two do not go together.
        TypeError: If a value is of the wrong type.
    """

    distortion: str = _setting("What is done to the digits: none, R, RTS, P, E or TC.")
    model: str = _setting("The network: fcn, cnn, or st-fcn, st-cnn with a spatial transformer before it.")
    transform: str = _setting("What the transformer may do: affine, projective or tps; none without one.")
    preset: str = _setting("Where the choices below come from: demo, quick or paper.")
    parameters: int = _setting("Learnable numbers in the model, which its width is searched to meet.")
    iterations: int = _setting("Steps of the optimiser.")
    batch: int = _setting("Digits a step.")
    optimiser: str = _setting("sgd or adamw.")
    learning_rate: float = _setting("The learning rate at its highest.")
    localisation_rate: float = _setting("What the localisation network's learning rate is multiplied by.")
    momentum: float = _setting("The momentum of sgd.")
    weight_decay: float = _setting("Weight decay, decoupled: times the learning rate.")
    schedule: str = _setting("cosine (warm-up, then half a cosine to 0) or stairs (divided by 10 at each).")
    warm_up: int = _setting("Iterations until the full learning rate, with cosine.")
    stair: int = _setting("Iterations between two divisions by 10, with stairs.")
    clip_norm: float = _setting("The largest norm of the gradient; 0 leaves it alone.")
    average_decay: float = _setting("Decay of the running average of the weights; 0 means no average.")
    precision: str = _setting("float32, or bfloat16 for the networks' products (never for coordinates).")
    seed: int = _setting("Of the initial weights, the order and the distortions of the digits.", 0)
    data_dir: str | None = _setting("Folder of the MNIST files; default, the 5,000 embedded digits.", None)
    threads: int = _setting("Threads to compute with; 0 leaves it to torch.", 0)
    device: str = _setting("auto (a GPU if there is one) or cpu.", "auto")
    validation: int = _setting("Training digits to judge by instead of the test set; not trained on.", 0)
    checkpoint_seconds: float = _setting("Time between two checkpoints in seconds.", 60.0)

    def __post_init__(self) -> None:
        for item in fields(self):
            _check_type(item.name, getattr(self, item.name), item.type)
        for name, choices in _CHOICES.items():
            _check_choice(name, getattr(self, name), choices)
        _check_choice("transform", self.transform, TRANSFORMS if self.has_transformer else (NO_TRANSFORM,))
        for name, least in _AT_LEAST.items():
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= least):
                raise ValueError(f"`{name}` must be at least {least}, got {getattr(self, name)}.")
        if self.average_decay >= 1:
            raise ValueError(f"`average_decay` must be less than 1, got {self.average_decay}.")
        if self.schedule == "cosine" and self.warm_up >= self.iterations:
            raise ValueError(
                f"`warm_up` must be less than {self.iterations} `iterations`, got {self.warm_up}."
            )
        if self.schedule == "stairs" and self.stair < 1:
            raise ValueError(f"`stair` must be at least 1 with the schedule stairs, got {self.stair}.")

    @property
    def has_transformer(self) -> bool:
        """Whether the model begins with a spatial transformer."""
        return self.model.startswith("st-")


def load_preset(name: str) -> dict[str, Any]:
    """The choices that a preset makes.

    Args:
        name: "demo", "quick" or "paper".

    Raises:
        ValueError: If there is no such preset.
    """
    _check_choice("preset", name, PRESETS)
    text = resources.files(__package__).joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def make_config(
    distortion: str,
    model: str,
    transform: str = "affine",
    preset: str = "quick",
    seed: int = 0,
    data_dir: str | None = None,
    **overrides: Any,
) -> Config:
    """A preset with a cell of the table, and with whatever else is to differ.

    Args:
        distortion: "none", "R", "RTS", "P", "E" or "TC".
        model: "fcn", "cnn", "st-fcn" or "st-cnn".
        transform: "affine", "projective" or "tps"; ignored by models without a transformer.
        preset: "demo", "quick" or "paper".
        seed: Of weights, order and distortions.
        data_dir: Folder of the MNIST files; None, the embedded digits.
        **overrides: Other fields of `Config`. A value of None leaves the preset's.

    Raises:
        ValueError: If a value is wrong; valid ones are listed.
        TypeError: If a value's type is, or there is no such field.
    """
    choices = load_preset(preset) | {name: value for name, value in overrides.items() if value is not None}
    if not model.startswith("st-"):
        transform = NO_TRANSFORM
    # A shorter training than the preset's warms up in proportion.
    if "iterations" in overrides and overrides.get("warm_up") is None:
        choices["warm_up"] = min(choices["warm_up"], choices["iterations"] // 10)
    return Config(
        distortion=distortion,
        model=model,
        transform=transform,
        preset=preset,
        seed=seed,
        data_dir=None if data_dir is None else str(data_dir),
        **choices,
    )


def cell_name(config: Config) -> str:
    """Where the training stands in the table of results, such as "rts/st-cnn-affine"."""
    model = f"{config.model}-{config.transform}" if config.has_transformer else config.model
    return f"{config.distortion.lower()}/{model}"


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(choices)}, got {value!r}.")


def _check_type(name: str, value: Any, kind: Any) -> None:
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or isinstance(value, bool):
        raise TypeError(f"`{name}` must be {getattr(kind, '__name__', kind)}, got {value!r}.")
