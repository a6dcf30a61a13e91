"""What the paper trained: the cells of its tables, each as the options of a training."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ..data import get_data_dir
from ..recipes import co_localisation, svhn
from ..recipes.digit_samples import find_digits
from ..recipes.registry import RECIPES
from ..recipes.training_config import Choices


class _Known(NamedTuple):
    """Of a recipe the choices, the paper's number for them, and where the data is."""

    config: type[Choices]
    paper: Callable[[Any], float | None]
    find_data: Callable[[Path | None, str], Path | None]


_RECIPES = {
    **{name: _Known(recipe.config, recipe.paper, recipe.find_data) for name, recipe in RECIPES.items()},
    "co-localisation": _Known(co_localisation.Config, co_localisation.paper_share, find_digits),
}
_OURS = ("preset", "seed", "out", "results", "resume")
"""Options of a training that whoever trains a table gives it."""
_TRANSFORMS = ("affine", "projective", "tps")
Options = tuple[tuple[str, str | int], ...]


@dataclass(frozen=True)
class Cell:
    """One cell of a table of the paper.

    Attributes:
        recipe: What `torchstn train` calls its experiment.
        name: The data and what is trained on it, as results have it, such as "rts/st-cnn-tps".
        options: What tells its training from others of the recipe, by field of its config.
        preset: The one that is meant where none is named; default, the recipe's usual one.
    """

    recipe: str
    name: str
    options: Options
    preset: str | None = None

    @property
    def words(self) -> list[str]:
        """The part of the command line that names it."""
        return [self.recipe, *(word for name, value in self.options for word in (f"--{name}", str(value)))]

    @property
    def paper(self) -> float | None:
        """The paper's number for it, None where it gives none."""
        return _RECIPES[self.recipe].paper(self.config("paper"))

    @property
    def usual_preset(self) -> str:
        """The one that is meant where none is named."""
        return self.preset or _RECIPES[self.recipe].config.preset

    def find_data(self, given: Path | None, preset: str) -> Path | None:
        """Which folder its trainings take the data from; None where they need none, as a demo may.

        Args:
            given: The one the user names; default, where `torchstn data get` puts it.
            preset: The demo may do with less than all.

        Raises:
            ValueError: If the data is not there: the tables are of all of it, not of what a training takes in
                its place.
        """
        folder = get_data_dir() if given is None and preset != "demo" else given
        return _RECIPES[self.recipe].find_data(folder, preset)

    @lru_cache(maxsize=1024)  # noqa: B019  # cells live as long as the process
    def config(self, preset: str, seed: int = 0, more: tuple[str, ...] = ()) -> Choices:
        """What its training is by a preset, and by further options of the command line.

        Raises:
            ValueError: If one of these would make it another training than this cell's.
        """
        config = _RECIPES[self.recipe].config
        options = [word.partition("=")[0] for word in more if word.startswith("--")]
        named = {option.removeprefix("--").replace("-", "_") for option in options}
        for name in (*_OURS, *config.CELL, *dict(self.options)):
            if name in named:
                raise ValueError(
                    f"--{name} must not be among the options for every training, since it says which of them "
                    "this is, or where its files go; choose these by --only, --preset, --seeds, --results "
                    "and --runs."
                )
        return config.make(preset, **config.read_options(more) | dict(self.options) | {"seed": seed})


def _networks(*models: str) -> Iterator[tuple[str, Options]]:
    """The rows of a table: each model, those with a transformer once for each transformation."""
    for model in models:
        if "st-" not in model:
            yield model, (("model", model),)
            continue
        for transform in _TRANSFORMS:
            yield f"{model}-{transform}", (("model", model), ("transform", transform))


def _distorted(*data: str) -> Iterator[Cell]:
    for name in data:
        for network, options in _networks("fcn", "cnn", "st-fcn", "st-cnn"):
            yield Cell("distorted-mnist", f"{name.lower()}/{network}", (("distortion", name), *options))


def _addition() -> Iterator[Cell]:
    for network, options in _networks("fcn", "cnn", "st-fcn", "2xst-fcn"):
        yield Cell("mnist-addition", f"rts/{network}", options)


def _co_localisation(*sets: str, **other: int) -> Iterator[Cell]:
    for name in sets:
        data = "-".join((name.lower(), *(f"{field}-{value}" for field, value in other.items())))
        for digit in map(str, range(10)):
            options: Options = (("set", name), ("digit", digit), *other.items())
            yield Cell("co-localisation", f"{data}/digit-{digit}", options)


def _volumes() -> Iterator[Cell]:
    for model in ("st", "projection", "cnn-3d"):
        yield Cell("volumes", f"3d/{model}", (("model", model),))


def _house_numbers() -> Iterator[Cell]:
    for pixels in ("64", "128"):
        for model in svhn.config.MODELS:
            yield Cell("svhn", f"{pixels}px/{model}", (("pixels", pixels), ("model", model)))


def _birds() -> Iterator[Cell]:
    for pixels, models in (("224", ("cnn", "2xst-cnn", "4xst-cnn")), ("448", ("2xst-cnn", "4xst-cnn"))):
        for model in models:
            yield Cell("birds", f"{pixels}px/{model}", (("pixels", pixels), ("model", model)))


def _readings() -> Iterator[Cell]:
    """Where the paper can be read in two ways, the one that its tables do not take; and what bounds RTS."""
    affine = (("model", "st-cnn"), ("transform", "affine"))
    for data, network, options, reading in (
        ("R", "cnn", (("model", "cnn"),), ("drawn", "once")),
        ("R", "st-cnn-affine", affine, ("drawn", "once")),
        ("R", "st-cnn-affine", affine, ("corners", "edges")),
        ("RTS", "st-cnn-affine", affine, ("pooling", "unpooled")),
    ):
        name = f"{data.lower()}-{reading[1]}/{network}"
        yield Cell("distorted-mnist", name, (("distortion", data), *options, reading))
    yield Cell("distorted-mnist", "rts-undone/cnn", (("distortion", "RTS-undone"), ("model", "cnn")))
    yield from _co_localisation("TC", stride=1)


def _beyond() -> Iterator[Cell]:
    """The best that one network of the paper's size comes to, on all its distorted digits."""
    for data in ("R", "RTS", "P", "E", "TC"):
        options = (("distortion", data), ("model", "st-deep"), ("transform", "tps"))
        yield Cell("distorted-mnist", f"{data.lower()}/st-deep-tps", options, preset="best")


PAPER: dict[str, tuple[Cell, ...]] = {
    "table-1": tuple(_distorted("R", "RTS", "P", "E")),
    "cluttered": tuple(_distorted("TC")),
    "addition": tuple(_addition()),
    "co-localisation": tuple(_co_localisation("T", "TC")),
    "volumes": tuple(_volumes()),
    "svhn": tuple(_house_numbers()),
    "birds": tuple(_birds()),
}
"""The paper's experiments, and together "all" of them."""
EXPERIMENTS = PAPER | {"readings": tuple(_readings()), "beyond": tuple(_beyond())}
"""Those, and what goes beyond them."""
ALL = "all"


def select(experiment: str, patterns: tuple[str, ...] = ()) -> list[Cell]:
    """The cells of an experiment, or of all of the paper's, whose names match a pattern.

    Args:
        experiment: One of `EXPERIMENTS`, or "all" of the paper's.
        patterns: Such as `rts/*`, `r/st-cnn-*` or `mnist-addition/*`, in any case; none takes every cell.

    Raises:
        ValueError: If there is no such experiment, or a pattern matches no cell.
    """
    if experiment not in (*EXPERIMENTS, ALL):
        raise ValueError(f"`experiment` must be one of {', '.join((*EXPERIMENTS, ALL))}, got {experiment!r}.")
    asked = PAPER.values() if experiment == ALL else [EXPERIMENTS[experiment]]
    chosen = [cell for cells in asked for cell in cells]
    for pattern in patterns:
        if not any(_matches(cell, pattern) for cell in chosen):
            names = ", ".join(cell.name for cell in chosen)
            raise ValueError(f"No cell of {experiment} matches {pattern!r}; there are {names}.")
    return [cell for cell in chosen if not patterns or any(_matches(cell, each) for each in patterns)]


def presets() -> tuple[str, ...]:
    """The names of all presets that some recipe has."""
    return tuple(dict.fromkeys(name for known in _RECIPES.values() for name in known.config.presets()))


def _matches(cell: Cell, pattern: str) -> bool:
    return any(fnmatchcase(name, pattern.lower()) for name in (cell.name, f"{cell.recipe}/{cell.name}"))


def beside(cells: Iterable[Cell]) -> list[Cell]:
    """The cells of the paper's tables that these are to be held against: same recipe, data and network."""
    wanted = {(cell.recipe, cell.name.partition("-")[0], cell.name.rpartition("/")[2]) for cell in cells}
    return [cell for cell in select(ALL) if (cell.recipe, *cell.name.split("/")) in wanted]


def paper_numbers(cells: Iterable[Cell]) -> dict[str, dict[str, float | None]]:
    """The paper's number of each cell, None where it gives none, by recipe and cell."""
    numbers: dict[str, dict[str, float | None]] = {}
    for cell in cells:
        numbers.setdefault(cell.recipe, {})[cell.name] = cell.paper
    return numbers
