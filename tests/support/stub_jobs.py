"""Jobs whose processes do what a test wants of them, in a tenth of a second and without torch."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torchstn.reproduce import Cell, Job
from torchstn.training import Run

RESULT: dict[str, Any] = {
    "recipe": "stub",
    "cell": "r/a",
    "seed": 0,
    "metric": "test error (%)",
    "value": 1.25,
    "paper": 0.5,
    "parameters": 1,
    "preset": "quick",
    "images_seen": 128_000,
    "wall_seconds": 90.0,
    "machine": "a machine",
    "commit": None,
    "data": "digits",
    "command": "torchstn train stub",
}
"""All that a result has to hold."""
SCRIPT = Path(__file__).with_name("stub_process.py")


@dataclass(frozen=True)
class StubJob(Job):
    """A job that behaves as told.

    It may "finish", "stumble" once it has its result, "fail", "rant" before it does, "wait" for its input to
    end, "stay" all the same, or be "busy" while told so.
    """

    behaviour: str = "finish"

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.cell.name} seed {self.seed}"

    @property
    def result(self) -> Path:
        """The file its result is kept in."""
        return self.results / f"{self.cell.name}.json"

    @property
    def run(self) -> Path:
        """The folder it trains in."""
        return self.runs / self.cell.name

    @property
    def is_started(self) -> bool:
        """Whether there is something to go on with."""
        return Run(self.run).exists()

    @property
    def around(self) -> dict[str, Any]:
        """In which process and session it ran, told to use how many threads."""
        found: dict[str, Any] = json.loads((self.run / "around").read_text())
        return found

    @property
    def command(self) -> list[str]:
        """What to start in place of a training."""
        words = [self.behaviour, str(self.result), str(self.run), json.dumps(RESULT)]
        return [sys.executable, str(SCRIPT), *words]


def stub(folder: Path, name: str, behaviour: str = "finish") -> StubJob:
    """A job of that name below a folder."""
    cell = Cell("stub", f"r/{name}", ())
    return StubJob(cell, "quick", 0, folder / "results", folder / "runs", behaviour=behaviour)
