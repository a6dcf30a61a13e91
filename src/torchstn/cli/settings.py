"""The fields of a recipe's config as options of a command: name, type and help are the field's own."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from ..recipes.training_config import Choices, load_preset
from .choices import flag, one_of

_PANEL = "In place of what the preset says"

RunFolder = Annotated[
    Path | None,
    typer.Option("--out", metavar="FOLDER", help="Where the run goes; default, runs/ and a name of its own."),
]
Resume = Annotated[bool, flag("--resume", help="Go on with the run in that folder.")]
ResultsFolder = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Also keep the result below this folder, as the tables read it."),
]


def option(
    field: Field[Any],
    *,
    default: Any = None,
    panel: str | None = None,
    callback: Callable[..., Any] | None = None,
) -> inspect.Parameter:
    """One field as an option.

    Args:
        field: A dataclass field whose metadata holds its "help".
        default: Of the option; None stands for "whatever the preset says".
        panel: Heading of the help under which it stands.
        callback: Checks what is given.
    """
    path = field.name.endswith("_dir")
    kind = Path if path else next(kind for kind in (str, int, float) if str(kind.__name__) in str(field.type))
    info = typer.Option(
        f"--{field.name.replace('_', '-')}",
        help=field.metadata["help"],
        metavar="FOLDER" if path else {str: "NAME", int: "N", float: "X"}[cast(Any, kind)],
        show_default=default is not None,
        rich_help_panel=panel,
        callback=callback,
    )
    optional = kind if default is not None else kind | None
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[cast(Any, optional), info],
    )


def with_options(command: Callable[..., None], options: Iterable[inspect.Parameter]) -> Callable[..., None]:
    """Gives a command that takes **settings these options beside its own."""
    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(command).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    parameters = [*options, *own]
    anyone = cast(Any, command)
    anyone.__signature__ = inspect.Signature(parameters)
    anyone.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {
        "return": None
    }
    return command


def options_of(config: type[Choices], without: Sequence[str] = ()) -> list[inspect.Parameter]:
    """A config's fields: the cell first, then where the rest comes from, then the rest, but for some."""
    named = (*config.CELL, "preset")
    items = {item.name: item for item in fields(config)}
    made = [
        option(items[name], default=items[name].default, callback=one_of(items[name].metadata["choices"]))
        for name in named
    ]
    # A default given as if it had been typed would stand above the preset.
    of_presets = {name for preset in config.presets() for name in load_preset(config, preset)}
    for item in (item for name, item in items.items() if name not in (*named, *without)):
        if item.default is MISSING or item.name in of_presets:
            made.append(option(item, panel=_PANEL))
        else:
            made.append(option(item, default=item.default))
    return made
