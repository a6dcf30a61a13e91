"""What a cell costs on this machine: measured by a few steps of its own training, kept as JSON."""

import datetime as dt
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from ..recipes.precision import AUTO
from ..recipes.record import differences, steps_of
from ..recipes.training_config import Choices
from ..training import Metrics, atomic_write, commit, machine
from ..training.provenance import machine_slug
from .cells import Cell
from .job import ATTEMPTS, environment

EPOCH = 60_000
"""Images that costs are given for."""
_FEW = 3
_MOST = 400
_LONG = 6.0
"""Seconds that the longer of two measurements lasts."""
_AS_LONG = (
    *("iterations", "attempts", "warm_up", "stair", "schedule", "validation", "patience"),
    *("learning_rate", "localisation_rate", "momentum", "weight_decay"),
)
"""Choices that make a step no longer: how many there are, and with what numbers they compute."""


@dataclass(frozen=True)
class Cost:
    """What one training of a cell takes.

    Attributes:
        recipe: Of the cell,
        cell: and its name.
        preset: Which of the recipe's.
        threads: That it computes with.
        pace: Seconds a step.
        batch: Images a step.
        steps: In the whole training, at the preset's length.
        start: Seconds until the first step.
        memory: Bytes at its largest; None where the system does not tell.
        measured: When.
        commit: The code.
        changes: In what its steps depart from the preset's, such as "batch 8"; mostly nothing.
    """

    recipe: str
    cell: str
    preset: str
    threads: int
    pace: float
    batch: int
    steps: int
    start: float
    memory: int | None
    measured: str
    commit: str | None
    changes: str = ""

    @property
    def of_an_epoch(self) -> float:
        """Seconds for 60,000 images."""
        return self.pace * EPOCH / self.batch

    @property
    def seconds(self) -> float:
        """Seconds for the whole training, at the preset's length."""
        return self.start + self.pace * self.steps

    def left(self, config: Choices, done: int = 0) -> float:
        """Seconds that a training, of whatever length, takes after so many steps."""
        return self.start + self.pace * ((steps_of(asdict(config)) or self.steps) - done)

    @property
    def _training(self) -> tuple[str, str, str, str]:
        return self.recipe, self.cell, self.preset, self.changes


@dataclass(frozen=True)
class Costs:
    """What is known of one machine."""

    machine: str
    known: tuple[Cost, ...] = ()

    def find(self, cell: Cell, preset: str, threads: int, more: Sequence[str] = ()) -> Cost | None:
        """What a training with such further options costs, None if nobody has measured it."""
        return next((cost for cost in self.alike(cell, preset, more) if cost.threads == threads), None)

    def alike(self, cell: Cell, preset: str, more: Sequence[str] = ()) -> list[Cost]:
        """What the same training costs with any number of threads."""
        wanted = (cell.recipe, cell.name, preset, _changes(cell.config(preset, more=tuple(more))))
        return [cost for cost in self.known if cost._training == wanted]

    def with_(self, cost: Cost) -> "Costs":
        """The same with one more, in place of an older measurement of the same."""
        new = cost._training, cost.threads
        others = [old for old in self.known if (old._training, old.threads) != new]
        return replace(self, known=(*others, cost))


def costs_path(results: Path) -> Path:
    """Where this machine's are kept below the folder of all results."""
    return results / "costs" / f"{machine_slug()}.json"


def read_costs(path: Path) -> Costs:
    """Those in a file; of this machine none if there is no such file.

    Raises:
        ValueError: If the file holds something else.
    """
    if not path.exists():
        return Costs(machine(threads=False))
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return Costs(record["machine"], tuple(Cost(**cost) for cost in record["costs"]))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} holds no costs ({error}); remove it and measure them anew.") from None


def costs_paths(results: Path) -> list[Path]:
    """The files of all machines below the folder of all results."""
    return sorted((results / "costs").glob("*.json"))


def read_costs_elsewhere(results: Path) -> tuple[Costs, ...]:
    """Those of all machines but this one.

    Raises:
        ValueError: If a file there holds something else.
    """
    own = costs_path(results)
    return tuple(read_costs(path) for path in costs_paths(results) if path != own)


def write_costs(path: Path, costs: Costs) -> None:
    """Keeps them, whole or not at all."""
    record = {"machine": costs.machine, "costs": [asdict(cost) for cost in costs.known]}
    atomic_write(path, json.dumps(record, indent=1) + "\n")


def measure(cell: Cell, preset: str, threads: int, more: Sequence[str] = ()) -> Cost:
    """Trains a cell for a few steps, then for some more: the difference is what steps take.

    Args:
        cell: Which one.
        preset: Of its recipe.
        threads: To compute with.
        more: Further words for the training.

    Raises:
        ValueError: If the training fails; the message is its own.
    """
    config = cell.config(preset, more=tuple(more))
    with TemporaryDirectory() as folder:
        few = _trial(cell, preset, threads, more, _FEW, Path(folder))
        steps = _FEW + min(_MOST, max(_FEW, int(_LONG * _FEW / few.seconds)))
        many = _trial(cell, preset, threads, more, steps, Path(folder))
    return Cost(
        recipe=cell.recipe,
        cell=cell.name,
        preset=preset,
        threads=threads,
        pace=_pace(few.seconds, many.seconds, steps),
        batch=asdict(config)["batch"],
        steps=steps_of(asdict(cell.config(preset))) or 0,
        start=round(min(few.wall - few.seconds, many.wall - many.seconds), 1),
        memory=many.memory,
        measured=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        commit=commit(),
        changes=_changes(config),
    )


@lru_cache(maxsize=1024)
def _changes(config: Choices) -> str:
    """What a step depends on beside cell, preset and threads."""
    device = {} if config.device == AUTO else {"device": config.device}
    changed = {name: value for name, value in differences(config).items() if name not in _AS_LONG} | device
    return ", ".join(f"{name} {value}" for name, value in changed.items())


def _pace(few: float, many: float, steps: int) -> float:
    """Seconds a step: of the difference, or, where a busy machine made the few steps last longer, at most."""
    return (many - few) / (steps - _FEW) if many > few else many / steps


@dataclass(frozen=True)
class _Trial:
    """Seconds spent on steps, seconds until the last of them was made, and the most bytes used."""

    seconds: float
    wall: float
    memory: int | None


def _trial(cell: Cell, preset: str, threads: int, more: Sequence[str], steps: int, folder: Path) -> _Trial:
    run = folder / str(steps)
    # Of an option that is given twice the last counts: further words may name a length of their own.
    words = ["train", *cell.words, "--preset", preset, *more]
    words += ["--iterations", str(steps), "--warm-up", "0", "--out", str(run)]
    start, memory = time.monotonic(), None
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "torchstn.reproduce.worker", *words],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(threads),
        )
        with process:  # which stops it at the end: how such a training would be judged does not matter
            while process.poll() is None and not _seconds(run, steps):
                memory = _most_memory(process.pid) or memory
                time.sleep(0.05)
            wall = time.monotonic() - start
    seconds = _seconds(run, steps)
    if not seconds:
        said = (folder / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        why = said[-1] if said else f"it ended with {process.returncode}"
        raise ValueError(f"{cell.recipe} {cell.name} cannot be measured: {why}")
    return _Trial(seconds, wall, memory)


def _seconds(run: Path, steps: int) -> float:
    """Seconds that the steps took, or those of the first of several attempts; 0 until they are all made."""
    for folder in (run, *sorted(run.glob(ATTEMPTS))):
        for record in Metrics(folder / "metrics.jsonl").read():
            if record["step"] == steps:
                return float(record["seconds"])
    return 0.0


def _most_memory(process: int) -> int | None:
    """The most bytes that a process has held so far, where Linux tells."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return 1024 * int(found[0]) if found else None
