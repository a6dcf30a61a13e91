"""Job: one cell, preset and seed, where its files go, and how far it is."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..figures.results import read_record
from ..recipes.begun import changed_choices
from ..recipes.record import changed_settings, result_path, run_name, steps_of
from ..recipes.training_config import Choices
from ..training import Run
from .cells import Cell

LOG = "train.log"
ATTEMPTS = "attempt-*"
"""Of a run that consists of several: the folders below it."""


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        step: Steps of the optimiser that are safe on the disk.
        steps: Of how many; None where no run says so yet.
        error: What the latest epoch logged, in per cent; None before the first.
        pace: Seconds a step, None before the first epoch.
    """

    step: int = 0
    steps: int | None = None
    error: float | None = None
    pace: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """What is left at the pace so far."""
        if self.steps is None or self.pace is None:
            return None
        return (self.steps - self.step) * self.pace


@dataclass(frozen=True)
class Job:
    """One training of the plan.

    Attributes:
        cell: What is trained.
        preset: Which of the recipe's.
        seed: Of everything random in it.
        results: Folder of all results.
        runs: Folder of all runs.
        more: Further words for the training, such as the data's folder.
        again: Whether a result of other settings than would be taken now does not count.
    """

    cell: Cell
    preset: str
    seed: int
    results: Path
    runs: Path
    more: tuple[str, ...] = ()
    again: bool = False

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.config.title} seed {self.seed}"

    @property
    def config(self) -> Choices:
        """What is trained."""
        return self.cell.config(self.preset, self.seed, self.more)

    @property
    def result(self) -> Path:
        """The file its result is kept in."""
        return result_path(self.results, self.config)

    @property
    def run(self) -> Path:
        """The folder it trains in, the one that `torchstn train` takes by itself."""
        return self.runs / run_name(self.config)

    @property
    def log(self) -> Path:
        """What its process says."""
        return self.run / LOG

    @property
    def command(self) -> list[str]:
        """Trains it, or goes on with it, in a process that ends with ours."""
        words = [sys.executable, "-m", "torchstn.reproduce.worker", "train", *self.cell.words]
        words += ["--preset", self.preset, "--seed", str(self.seed), "--resume"]
        return [*words, "--out", str(self.run), "--results", str(self.results), *self.more]

    @property
    def record(self) -> Mapping[str, Any] | None:
        """Its result, None before it has one that counts.

        Raises:
            ValueError: If the file is not a result.
        """
        found = self._kept()
        if found is not None and self.again and changed_settings(found, self.config):
            return None
        return found

    def _kept(self) -> Mapping[str, Any] | None:
        return read_record(self.result) if self.result.exists() else None

    @property
    def changes(self) -> list[str]:
        """In what its result was trained otherwise than it would be now; empty without a result."""
        found = self._kept()
        return [] if found is None else changed_settings(found, self.config)

    def make_room(self) -> None:
        """Renames the folder of a run of other settings, which the training could not go on with.

        Raises:
            FolderInUseError: If another process trains in it.
        """
        run = Run(self.run)
        if not run.exists() or self.is_started:
            return
        number = 1
        while (elsewhere := self.run.with_name(f"{self.run.name}-before-{number}")).exists():
            number += 1
        with run.lock():
            # Another process may have made room, and begun, before the lock was ours.
            if run.exists() and not self.is_started:
                self.run.rename(elsewhere)

    @property
    def is_started(self) -> bool:
        """Whether there is something to go on with."""
        run = Run(self.run)
        return run.exists() and not changed_choices(run, self.config)

    def progress(self) -> Progress:
        """How far its run is, read from the run's own files."""
        if not self.is_started:
            return Progress()
        run = Run(self.run)
        parts = [run, *(Run(folder) for folder in self.run.glob(ATTEMPTS))]
        logged = [records[-1] for records in (part.metrics.read() for part in parts) if records]
        steps = sum(record["step"] for record in logged)
        pace = sum(record.get("seconds", 0.0) for record in logged) / steps if steps else None
        made = sum(max(part.latest_step, _last_step(part)) for part in parts)
        return Progress(made, steps_of(run.config), logged[-1].get("error") if logged else None, pace)


def _last_step(run: Run) -> int:
    logged = run.metrics.read()
    return logged[-1]["step"] if logged else 0


def environment(threads: int) -> dict[str, str]:
    """For a process that computes with so many threads."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(names, str(threads))}
