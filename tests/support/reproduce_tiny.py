"""A reproduction of two small trainings, run by the tests in a process that they may kill."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from torchstn.reproduce import Cell, Job, Scheduler, Terminal

CELLS = tuple(
    Cell("distorted-mnist", f"r/{model}", (("distortion", "R"), ("model", model))) for model in ("fcn", "cnn")
)
TINY = (
    "--iterations",
    "250",
    "--batch",
    "8",
    "--parameters",
    "20000",
    "--threads",
    "1",
    "--checkpoint-seconds",
    "0",
)


def jobs(folder: Path) -> list[Job]:
    """Two trainings of some seconds each on the embedded digits."""
    return [Job(cell, "demo", 0, folder / "results", folder / "runs", TINY) for cell in CELLS]


def reproduce(todo: Sequence[Job]) -> list[Job]:
    """Trains them side by side; gives those that failed."""
    console = Console(file=sys.stdout, force_terminal=False, width=200)
    with Terminal(len(todo), 2, lambda job: None, console) as view:
        return Scheduler(todo, 2, 1, view, poll=0.1, again=0.5).run().failed


if __name__ == "__main__":
    sys.exit(bool(reproduce(jobs(Path(sys.argv[1])))))
