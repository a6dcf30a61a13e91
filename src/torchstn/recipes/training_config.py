"""The choices that every training has to make, and the presets that make most of them."""

import math
import tomllib
from collections.abc import Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Self

from .precision import PRECISIONS


def setting(
    text: str, default: Any = MISSING, *, choices: tuple[str, ...] | None = None, least: float | None = None
) -> Any:
    """A field of a config.

    Args:
        text: Its help.
        default: Its value where nothing is said; without one a preset has to say it.
        choices: The names it may take.
        least: The lowest number it may be.
    """
    return field(default=default, metadata={"help": text, "choices": choices, "least": least})


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What every config holds and does; each field's `metadata["help"]` says what it is.

    Raises:
        ValueError: If a value is out of range.
        TypeError: If a value is of the wrong type.
    """

    recipe: ClassVar[str]
    """The recipe's name."""
    CELL: ClassVar[tuple[str, ...]]
    """The fields that say which cell of the recipe's table this is."""
    DATA: ClassVar[tuple[str, ...]] = ("--data-dir", "DATA")
    """How the command line is told where the data is."""

    preset: str = setting(
        "Where the choices below come from: demo, quick or paper.",
        "quick",
        choices=("demo", "quick", "paper"),
    )
    seed: int = setting("Of the initial weights, the samples' order and what is done to them.", 0, least=0)
    data_dir: str | None = setting("Folder of the data; default, where torchstn data get puts it.", None)
    threads: int = setting(
        "Threads to compute with; 0 leaves it to torch. 1 is quicker beside other work.", 0, least=0
    )
    device: str = setting("auto (a GPU if there is one) or cpu.", "auto", choices=("auto", "cpu"))
    validation: int = setting(
        "Training samples to judge by instead of the test set; not trained on.", 0, least=0
    )
    checkpoint_seconds: float = setting("Time between two checkpoints in seconds.", 60.0, least=0)

    def __post_init__(self) -> None:
        for item in fields(self):
            _check_type(item.name, getattr(self, item.name), item.type)
        for item in fields(self):
            self._check_value(item)

    @property
    def cell(self) -> str:
        """Where the training stands in the table of results, column and row, such as "rts/cnn"."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """The cell in one word, which no other recipe has too."""
        return self.cell.replace("/", "-")

    @property
    def cell_choices(self) -> dict[str, Any]:
        """The fields that name the cell, but for those that this one has no use for."""
        return {name: getattr(self, name) for name in self.CELL}

    @classmethod
    def make(cls, preset: str | None = None, **choices: Any) -> Self:
        """A preset with whatever else is to differ.

        Args:
            preset: One of `presets`; None takes the recipe's usual one.
            **choices: Other fields. A value of None leaves the preset's, or the default.

        Raises:
            ValueError: If a value is wrong; valid ones are listed.
            TypeError: If a value's type is, or there is no such field.
        """
        chosen = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in choices.items()
            if value is not None
        }
        preset = cls.preset if preset is None else preset
        return cls(preset=preset, **cls._filled(preset, chosen))

    @classmethod
    def presets(cls) -> tuple[str, ...]:
        """The names of the recipe's presets."""
        choices: dict[str, tuple[str, ...]] = {item.name: item.metadata["choices"] for item in fields(cls)}
        return choices["preset"]

    @classmethod
    def read_options(cls, words: Sequence[str]) -> dict[str, Any]:
        """Those of a command line's options that are fields, by name; `--name value` or `--name=value`.

        Raises:
            ValueError: If a value is no number where one is wanted.
        """
        parts = [part for word in words for part in word.split("=", 1)]
        kinds = {f"--{item.name.replace('_', '-')}": item for item in fields(cls)}
        return {
            kinds[name].name: _read(name, text, kinds[name].type)
            for name, text in pairwise(parts)
            if name in kinds
        }

    @classmethod
    def _filled(cls, preset: str, chosen: dict[str, Any]) -> dict[str, Any]:
        """What was chosen, and the preset's choices beside it."""
        settings = load_preset(cls, preset) | chosen
        # A shorter training than the preset's warms up in proportion.
        if chosen.get("iterations") and "warm_up" not in chosen:
            settings["warm_up"] = min(settings["warm_up"], settings["iterations"] // 10)
        return settings

    def _check_value(self, item: Field[Any]) -> None:
        value, least = getattr(self, item.name), item.metadata["least"]
        choices = self._choices(item)
        if choices is not None:
            check_choice(item.name, value, choices)
        if least is not None and not (math.isfinite(value) and value >= least):
            raise ValueError(f"`{item.name}` must be at least {least}, got {value}.")

    def _choices(self, item: Field[Any]) -> tuple[str, ...] | None:
        """What a field may be; of some that depends on others."""
        choices: tuple[str, ...] | None = item.metadata["choices"]
        return choices


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Choices):
    """What a supervised config holds that does not name the task.

    A recipe's own config adds the fields that do; the files `presets/*.toml` beside it are its presets.

    Raises:
        ValueError: If a value is out of range, or two do not go together.
        TypeError: If a value is of the wrong type.
    """

    iterations: int = setting("Steps of the optimiser.", least=1)
    batch: int = setting("Samples a step.", least=1)
    optimiser: str = setting("sgd, adamw or muon.", choices=("sgd", "adamw", "muon"))
    learning_rate: float = setting("The learning rate at its highest.", least=0)
    localisation_rate: float = setting(
        "What the localisation network's learning rate is multiplied by.", least=0
    )
    momentum: float = setting("The momentum of sgd; the others have their own.", least=0)
    weight_decay: float = setting("Weight decay, decoupled: times the learning rate.", least=0)
    schedule: str = setting(
        "cosine (warm-up, then half a cosine to 0) or stairs (divided by 10 at each).",
        choices=("cosine", "stairs"),
    )
    warm_up: int = setting("Iterations until the full learning rate, with cosine.", least=0)
    stair: int = setting("Iterations between two divisions by 10, with stairs.", least=0)
    clip_norm: float = setting("The largest norm of the gradient; 0 leaves it alone.", least=0)
    average_decay: float = setting(
        "Decay of the running average of the weights; 0 means no average.", least=0
    )
    patience: int = setting(
        "Epochs without a better validation error after which to stop with the best weights; 0: never.",
        0,
        least=0,
    )
    precision: str = setting(
        "Of the networks' products, never of coordinates: float32, bfloat16, or auto (bfloat16 where the "
        "processor multiplies it).",
        choices=PRECISIONS,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.average_decay >= 1:
            raise ValueError(f"`average_decay` must be less than 1, got {self.average_decay}.")
        if self.schedule == "cosine" and 0 < self.iterations <= self.warm_up:
            raise ValueError(
                f"`warm_up` must be less than {self.iterations} `iterations`, got {self.warm_up}."
            )
        if self.patience and not self.validation:
            raise ValueError(
                f"`patience` needs samples to judge by: set `validation`, got {self.validation}."
            )
        if self.schedule == "stairs" and self.stair < 1:
            raise ValueError(f"`stair` must be at least 1 with the schedule stairs, got {self.stair}.")

    def for_epochs_of(self, per_epoch: int) -> Self:
        """The same with what follows from the number of batches in an epoch."""
        return self

    def untrained(self) -> Self:
        """The same for a model that gets other weights: none of its own need be fetched."""
        return self


def load_preset(config: type[Choices], name: str) -> dict[str, Any]:
    """The choices that a preset of a recipe makes.

    Args:
        config: The recipe's.
        name: One of its `presets`.

    Raises:
        ValueError: If there is no such preset.
    """
    check_choice("preset", name, config.presets())
    package = config.__module__.rpartition(".")[0]
    text = resources.files(package).joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuses what is none of the choices, listing them."""
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(choices)}, got {value!r}.")


def _read(name: str, text: str, kind: Any) -> Any:
    try:
        return kind(text) if kind in (int, float) else text
    except ValueError:
        number = "a whole number" if kind is int else "a number"
        raise ValueError(f"{name} must be {number}, got {text!r}.") from None


def _check_type(name: str, value: Any, kind: Any) -> None:
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or isinstance(value, bool):
        raise TypeError(f"`{name}` must be {getattr(kind, '__name__', kind)}, got {value!r}.")
