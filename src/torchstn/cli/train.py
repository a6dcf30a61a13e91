"""`torchstn train`: one command an experiment."""

import shlex
from collections.abc import Callable
from typing import Annotated, Any, cast

import typer

from ..recipes.co_localisation import Config as CoLocalisation
from ..recipes.images import RECIPE as IMAGES
from ..recipes.recipe import Recipe
from ..recipes.registry import RECIPES
from .choices import flag
from .co_localisation import co_localisation
from .data_folder import data_folder
from .images_training import images
from .plainly import is_main_process, out, plainly
from .settings import ResultsFolder, Resume, RunFolder, options_of, with_options
from .training import folder_for, run_training

app = typer.Typer(help="Train one of the paper's experiments, or on your own images.", no_args_is_help=True)


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
            bool, flag("--film", help="Also draw, as a GIF, what transformers see as they learn.")
        ] = False,
        **settings: Any,
    ) -> None:
        settings["data_dir"] = data_folder(recipe.find_data, settings["data_dir"], settings["preset"])
        config = recipe.config.make(**settings)
        folder = folder_for(config, to, resume, results)
        filmed = None
        if film and is_main_process():
            from .film import Film

            filmed = Film(config, folder)
        run_training(config, folder, resume, results, listener=filmed.take if filmed else None)
        if is_main_process():
            if filmed:
                out.print(f"Saved {filmed.save(folder / 'figures' / 'film.gif')}")
            out.print(f"Look at what it does: torchstn show {shlex.quote(str(folder))}")

    command.__doc__ = f"""Train on {recipe.summary}

    The run is a folder: settings, metrics, checkpoints, weights, result. It can be stopped at any moment; the
    same command with --resume goes on, and ends exactly where it would have ended.
    """
    return plainly(with_options(command, options_of(recipe.config)))


def option_names(experiment: str) -> set[str]:
    """How the options of an experiment's training are typed."""
    command = cast(Any, typer.main.get_command(app)).commands[experiment]
    return {name for parameter in command.params for name in parameter.opts}


for _recipe in RECIPES.values():
    if _recipe is not IMAGES:
        app.command(_recipe.name)(command_of(_recipe))
app.command(IMAGES.name)(plainly(with_options(images, options_of(IMAGES.config, without=("data_dir",)))))
app.command(CoLocalisation.recipe)(plainly(with_options(co_localisation, options_of(CoLocalisation))))
