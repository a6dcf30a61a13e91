"""What the commands that train share: a folder that is free or resumed, an interruption, a result."""

import shlex
import sys
from pathlib import Path
from typing import Any

import typer

from ..recipes.samples import Samples
from ..recipes.training_config import TrainingConfig
from ..training import Run, atomic_write
from ..training.progress import Listener
from .plainly import INTERRUPTED, is_main_process, note, out
from .report import result_json, result_table


def folder_for(config: TrainingConfig, to: Path | None, resume: bool) -> Path:
    """Where a training goes.

    Raises:
        ValueError: If a run is there already, and is not to be resumed.
    """
    from ..recipes.record import run_name

    folder = to or Path("runs") / run_name(config)
    if Run(folder).exists() and not resume:
        raise ValueError(f"{folder} already holds a run; go on with it by --resume, or name another --out.")
    return folder


def run_training(
    config: TrainingConfig,
    folder: Path,
    resume: bool,
    results: Path | None,
    *,
    listener: Listener | None = None,
    samples: Samples | None = None,
) -> dict[str, Any]:
    """Trains, keeps the result where asked to, and prints it; arguments as of `supervised.train`."""
    from ..recipes.record import result_path
    from ..recipes.supervised import train

    note(f"Training {config.cell}, preset {config.preset}, in {folder}")
    try:
        record = train(config, folder, resume=resume, listener=listener, samples=samples)
    except KeyboardInterrupt:
        note(f"\nStopped. Go on with: {resume_command(sys.argv)}")
        raise typer.Exit(INTERRUPTED) from None
    if is_main_process():
        if results is not None:
            atomic_write(result_path(results, config), result_json(record))
        out.print(result_table([record]))
    return record


def resume_command(arguments: list[str]) -> str:
    """The command that was typed, asking to go on."""
    words = ["torchstn", *arguments[1:]]
    return shlex.join(words if "--resume" in words else [*words, "--resume"])
