"""`torchstn train`: one command an experiment."""

import shlex
import sys
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from ..recipes.co_localisation import Config as CoLocalisation
from ..recipes.recipe import Recipe
from ..recipes.registry import RECIPES
from ..recipes.training_config import Choices, TrainingConfig
from ..training import Run, atomic_write
from .choices import one_of
from .co_localisation import co_localisation
from .data_folder import data_folder
from .plainly import INTERRUPTED, is_main_process, note, out, plainly
from .report import result_json, result_table
from .settings import ResultsFolder, Resume, RunFolder, option, with_options

app = typer.Typer(help="Train one of the paper's experiments.", no_args_is_help=True)

_PANEL = "In place of what the preset says"


@app.callback()
def _group() -> None:
    pass


def command_of(recipe: Recipe[Any, Any]) -> Callable[..., None]:
    """The command that trains a recipe."""

    def command(
        to: RunFolder = None,
        resume: Resume = False,
        results: ResultsFolder = None,
        film: Annotated[
            bool, typer.Option("--film", help="Also draw, as a GIF, what transformers see as they learn.")
        ] = False,
        **settings: Any,
    ) -> None:
        settings["data_dir"] = data_folder(recipe.find_data, settings["data_dir"], settings["preset"])
        _train(recipe.config.make(**settings), to, resume, results, film)

    command.__doc__ = f"""Train on {recipe.summary}

    The run is a folder: settings, metrics, checkpoints, weights, result. It can be stopped at any moment; the
    same command with --resume goes on, and ends exactly where it would have ended.
    """
    return plainly(with_options(command, _options(recipe.config)))


def _train(config: TrainingConfig, to: Path | None, resume: bool, results: Path | None, filmed: bool) -> None:
    from ..recipes.record import result_path, run_name
    from ..recipes.supervised import train

    folder = to or Path("runs") / run_name(config)
    if Run(folder).exists() and not resume:
        raise ValueError(f"{folder} already holds a run; go on with it by --resume, or name another --out.")
    note(f"Training {config.cell}, preset {config.preset}, in {folder}")
    film = None
    if filmed and is_main_process():
        from .film import Film

        film = Film(config, folder)
    try:
        record = train(config, folder, resume=resume, listener=film.take if film else None)
    except KeyboardInterrupt:
        note(f"\nStopped. Go on with: {resume_command(sys.argv)}")
        raise typer.Exit(INTERRUPTED) from None
    if is_main_process():
        if results is not None:
            atomic_write(result_path(results, config), result_json(record))
        out.print(result_table([record]))
        if film:
            out.print(f"Saved {film.save(folder / 'figures' / 'film.gif')}")
        out.print(f"Look at what it does: torchstn show {shlex.quote(str(folder))}")


def resume_command(arguments: list[str]) -> str:
    """The command that was typed, asking to go on."""
    words = ["torchstn", *arguments[1:]]
    return shlex.join(words if "--resume" in words else [*words, "--resume"])


def _options(config: type[Choices]) -> list[Any]:
    """The cell first, then where the rest comes from, then the rest."""
    named = (*config.CELL, "preset")
    items = {item.name: item for item in fields(config)}
    made = [
        option(items[name], default=items[name].default, callback=one_of(items[name].metadata["choices"]))
        for name in named
    ]
    for item in (item for name, item in items.items() if name not in named):
        if item.default is MISSING:
            made.append(option(item, panel=_PANEL))
        else:
            made.append(option(item, default=item.default))
    return made


for _recipe in RECIPES.values():
    app.command(_recipe.name)(command_of(_recipe))
app.command(CoLocalisation.recipe)(plainly(with_options(co_localisation, _options(CoLocalisation))))
