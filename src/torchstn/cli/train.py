"""`torchstn train`: one command an experiment."""

import shlex
import sys
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from ..data import DISTORTIONS
from ..recipes.distorted_mnist import Config, cell_name, make_config, result_path
from ..recipes.distorted_mnist import train as train_distorted_mnist
from ..recipes.distorted_mnist.config import MODELS, PRESETS, TRANSFORMS
from ..training import Run, atomic_write
from .choices import one_of
from .digits import default_data_dir
from .plainly import INTERRUPTED, is_main_process, note, out, plainly
from .report import result_json, result_table
from .settings import option, with_options

app = typer.Typer(help="Train one of the paper's experiments.", no_args_is_help=True)

_CELL: dict[str, tuple[Any, tuple[str, ...]]] = {
    "distortion": ("RTS", tuple(DISTORTIONS)),
    "model": ("st-cnn", MODELS),
    "transform": ("affine", TRANSFORMS),
    "preset": ("quick", PRESETS),
}
_PLAIN = ("seed", "threads", "device", "checkpoint_seconds", "validation")
_PANEL = "In place of what the preset says"


@app.callback()
def _group() -> None:
    pass


def distorted_mnist(
    to: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FOLDER", help="Where the run goes; default, runs/ and a name of its own."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    results: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also keep the result below this folder, as the tables read it."),
    ] = None,
    **settings: Any,
) -> None:
    """Train on distorted MNIST digits (section 4.1 of the paper): can a network straighten what it reads?

    The run is a folder: settings, metrics, checkpoints, weights, result. It can be stopped at any moment; the
    same command with --resume goes on, and ends exactly where it would have ended.
    """
    settings["data_dir"] = default_data_dir(settings["data_dir"], settings["preset"])
    config = make_config(**settings)
    folder = to or Path("runs") / run_name(config)
    if Run(folder).exists() and not resume:
        raise ValueError(f"{folder} already holds a run; go on with it by --resume, or name another --out.")
    note(f"Training {cell_name(config)}, preset {config.preset}, in {folder}")
    try:
        record = train_distorted_mnist(config, folder, resume=resume)
    except KeyboardInterrupt:
        note(f"\nStopped. Go on with: {resume_command(sys.argv)}")
        raise typer.Exit(INTERRUPTED) from None
    if is_main_process():
        if results is not None:
            atomic_write(result_path(results, config), result_json(record))
        out.print(result_table([record]))
        out.print(f"Look at what it does: torchstn show {shlex.quote(str(folder))}")


def run_name(config: Config) -> str:
    """The folder of a run that was given none."""
    return f"{cell_name(config).replace('/', '-')}-{config.preset}-seed-{config.seed}"


def resume_command(arguments: list[str]) -> str:
    """The command that was typed, asking to go on."""
    words = ["torchstn", *arguments[1:]]
    return shlex.join(words if "--resume" in words else [*words, "--resume"])


def _options() -> list[Any]:
    made = []
    for field in fields(Config):
        if field.name in _CELL:
            default, names = _CELL[field.name]
            made.append(option(field, default=default, callback=one_of(names)))
        elif field.name in _PLAIN:
            made.append(option(field, default=field.default))
        else:
            made.append(option(field, panel=None if field.name == "data_dir" else _PANEL))
    return made


app.command("distorted-mnist")(plainly(with_options(distorted_mnist, _options())))
