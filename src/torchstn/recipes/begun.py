"""A run that has begun: what it was started with, and whether that is what is wanted now."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from typing import TypeVar

from ..training import Run, commit
from .training_config import Choices

C = TypeVar("C", bound=Choices)

_FIRST = "distorted-mnist"
"""The recipe of runs whose config does not name one."""
_MAY_CHANGE = ("data_dir", "threads", "device", "checkpoint_seconds")


def start(run: Run, config: Choices, *, data: str, classes: tuple[str, ...] = ()) -> None:
    """Makes the folder a run, with all that a later process has to know of its beginning.

    Args:
        run: The folder.
        config: What is trained.
        data: On which data set, by name and checksum.
        classes: The names of what is told apart, where the run has to keep them.
    """
    run.start({"recipe": config.recipe, **asdict(config)}, classes, {"commit": commit(), "data": data})


def read_config(run: Run, known: Mapping[str, type[C]]) -> C:
    """The config of a run, finished or not.

    Args:
        run: The run.
        known: The configs it may have, by recipe.

    Raises:
        ValueError: If the folder holds no run of these recipes.
    """
    settings = run.config
    name = settings.pop("recipe", _FIRST)
    if name not in known:
        raise ValueError(f"`{run.folder}` holds a run of {name!r}; known here are {', '.join(known)}.")
    try:
        return known[name](**settings)
    except TypeError as error:
        raise ValueError(f"`{run.folder}` holds no run of {name}: {error}.") from error


def changed_choices(run: Run, config: Choices) -> list[str]:
    """Why a run cannot go on as the training of a config, one phrase a choice.

    A choice that there was not when it began had the value that is now its default.
    """
    defaults = {item.name: item.default for item in fields(config) if item.default is not MISSING}
    then = {"recipe": _FIRST} | defaults | run.config
    now = {"recipe": config.recipe, **asdict(config)}
    return [
        f"{name} was {then.get(name)!r}, now {now.get(name)!r}"
        for name in now | then
        if name not in _MAY_CHANGE and then.get(name) != now.get(name)
    ]


def check_choices(run: Run, config: Choices, *, resume: bool) -> None:
    """Refuses a folder that holds a run, unless it is this one's and is to be resumed."""
    if not resume:
        raise ValueError(f"`{run.folder}` already holds a run; resume it, or choose another folder.")
    changed = changed_choices(run, config)
    if changed:
        raise ValueError(f"The run cannot be resumed with other settings: {'; '.join(changed)}.")


def check_data(run: Run, data: str) -> None:
    """Refuses to go on with a run on other data; one from before runs kept its name goes on with any."""
    then = run.beginning.get("data", data)
    if then != data:
        raise ValueError(
            f"The run cannot be resumed on other data: it was {then}; now it is {data}. Give it the data it "
            "began with, or start another run."
        )


def commit_of(run: Run) -> str | None:
    """The commit of the code when the run began; of one from before runs kept it, that of now."""
    begun: str | None = run.beginning["commit"] if run.beginning else commit()
    return begun
