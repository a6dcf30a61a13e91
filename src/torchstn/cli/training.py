"""What the commands that train share: a folder that is free or resumed, an interruption, a result."""

import shlex
import sys
from pathlib import Path
from typing import Any

import typer

from ..recipes.samples import Samples
from ..recipes.training_config import Choices, TrainingConfig
from ..training import Run, atomic_write
from ..training.progress import Listener
from .outputs import check_file, check_folder
from .plainly import INTERRUPTED, is_main_process, note, out
from .report import result_json, result_table


def folder_for(config: Choices, to: Path | None, resume: bool, results: Path | None) -> Path:
    """Where a training goes.

    Raises:
        ValueError: If a run is there already, and is not to be resumed; or it, or its result below `results`,
            cannot be written, or would take the place of one that is nearer to its preset.
    """
    from ..recipes.record import result_path, run_name

    folder = to or Path("runs") / run_name(config)
    if Run(folder).exists() and not resume:
        raise ValueError(f"{folder} already holds a run; go on with it by --resume, or name another --out.")
    check_folder(folder)
    if results is not None:
        path = result_path(results, config)
        check_file(path, "--results")
        _check_place(path, config)
    return folder


def _check_place(path: Path, config: Choices) -> None:
    """Refuses to train what would take the place of a result that is nearer to its preset."""
    from ..figures.results import read_record
    from ..recipes.record import departures

    further = departures(read_record(path), config) if path.exists() else []
    if further:
        raise ValueError(
            f"{path} holds a result of preset {config.preset}, and this training, with {', '.join(further)}, "
            "would take its place; name another folder by --results, or move that file away."
        )


def run_training(
    config: TrainingConfig,
    folder: Path,
    resume: bool,
    results: Path | None,
    *,
    listener: Listener | None = None,
    samples: Samples | None = None,
) -> dict[str, Any]:
    """Trains, prints the result, and keeps it where asked to; arguments as of `supervised.train`."""
    from ..recipes.supervised import train

    note(f"Training {config.cell}, preset {config.preset}, in {folder}")
    try:
        record = train(config, folder, resume=resume, listener=listener, samples=samples)
    except KeyboardInterrupt:
        note(f"\nStopped. Go on with: {resume_command(sys.argv)}")
        raise typer.Exit(INTERRUPTED) from None
    if is_main_process():
        tell(record, config, results)
    return record


def tell(record: dict[str, Any], config: Choices, results: Path | None) -> None:
    """Prints a result, and then keeps it where asked to: what goes wrong there does not take it away."""
    from ..recipes.record import result_path

    out.print(result_table([record]))
    if results is not None:
        atomic_write(result_path(results, config), result_json(record))


def resume_command(arguments: list[str]) -> str:
    """The command that was typed, asking to go on."""
    words = ["torchstn", *arguments[1:]]
    return shlex.join(words if "--resume" in words else [*words, "--resume"])
