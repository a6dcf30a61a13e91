"""Measure: the sides of one case take turns, each in a process of its own, and the clock of each is read."""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median, quantiles
from types import TracebackType
from typing import Any, Self

from torchstn.recipes.distorted_mnist import Config
from torchstn.reproduce.job import environment

from .. import record
from .clock import PARTS
from .sides import SIDES

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What is trained by all sides."""

    distortion: str
    model: str

    @property
    def name(self) -> str:
        """As results call the cell."""
        return self.config("quick").cell

    def config(self, preset: str) -> Config:
        """What it is by a preset."""
        return Config.make(preset, distortion=self.distortion, model=self.model)


CASES = tuple(Case(data, model) for data in ("R", "RTS") for model in ("fcn", "cnn", "st-fcn", "st-cnn"))


@dataclass(frozen=True)
class Effort:
    """How long to measure: so many rounds, in each of which every side trains for so many seconds."""

    rounds: int = 7
    seconds: float = 2.0
    fewest: int = 8
    """Steps of a turn."""


QUICK = Effort(rounds=2, seconds=0.0, fewest=2)


class Trainer:
    """A side in its own process; a context manager."""

    def __init__(self, side: str, case: Case, preset: str, threads: int, data: str) -> None:
        words = [side, case.distortion, case.model, preset, str(threads), data]
        self._side, self._name = side, case.name
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.training.worker", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=record.ROOT,
            env=environment(threads),
        )

    def __enter__(self) -> Self:
        self._read()  # it is ready
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.__exit__(kind, error, where)

    def train(self, steps: int) -> Json:
        """Makes so many steps; seconds, and seconds by part."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{steps}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Json:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._side} failed in {self._name} with {self._process.wait()}")
        told: Json = json.loads(line)
        return told


def run_case(
    case: Case,
    preset: str,
    threads: int,
    data: str,
    effort: Effort,
    report: Callable[[], None] = lambda: None,
) -> Json:
    """Images a second of every side, and where the time of a step goes.

    Args:
        case: What to train.
        preset: Of the recipe.
        threads: Of every side.
        data: Folder of the MNIST files; empty for the embedded digits.
        effort: How long.
        report: Called after each round.
    """
    order = random.Random(case.name)  # noqa: S311  # turns, not secrets
    turns: dict[str, list[Json]] = {side: [] for side in SIDES}
    with ExitStack() as stack:
        trainers = {side: stack.enter_context(Trainer(side, case, preset, threads, data)) for side in SIDES}
        steps = {side: _steps(trainer, effort) for side, trainer in trainers.items()}
        for _ in range(effort.rounds):
            for side in order.sample(SIDES, len(SIDES)):
                turns[side].append(trainers[side].train(steps[side]))
            report()
    batch = case.config(preset).batch
    return {side: _entry(turns[side], steps[side], batch) for side in SIDES}


def _steps(trainer: Trainer, effort: Effort) -> int:
    """So many fill a turn; the first ones, which still set things up, do not say."""
    trainer.train(effort.fewest)
    once = trainer.train(effort.fewest)["seconds"] / effort.fewest
    return max(effort.fewest, int(effort.seconds / once))


def _entry(turns: Sequence[Json], steps: int, batch: int) -> Json:
    rates = [steps * batch / turn["seconds"] for turn in turns]
    lower, _, upper = quantiles(rates, n=4, method="inclusive")
    parts = {part: median(turn["parts"][part] for turn in turns) / steps for part in PARTS}
    return {
        "images_per_second": {"median": median(rates), "lower": lower, "upper": upper},
        "seconds_a_step": parts,
        "batch": batch,
        "steps": steps * len(turns),
    }
