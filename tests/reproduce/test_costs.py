"""What a step costs follows from two measurements, also when the machine was busy during the shorter one."""

import os
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

import pytest

from torchstn.reproduce import Cell, costs, measure
from torchstn.training import Metrics

CELL = Cell("distorted-mnist", "r/fcn", (("distortion", "R"), ("model", "fcn")))


class Training:
    """Stands for the process of a training, a tenth of a second a step, that ends at once."""

    pid = returncode = 0
    below = "."
    asked: list[dict[str, str]]
    threads: list[str]

    def __init__(self, words: list[str], *, stdout: BinaryIO, env: dict[str, str], **how: object) -> None:
        options = dict(pairwise(words))  # of one that is given twice the last, as the command line takes it
        self.asked.append(options)
        self.threads.append(env["OMP_NUM_THREADS"])
        self.train(Path(options["--out"]) / self.below, int(options["--iterations"]), stdout)

    def train(self, folder: Path, steps: int, said: BinaryIO) -> None:
        log = Metrics(folder / "metrics.jsonl")
        for step in (1, steps):
            log.append({"step": step, "seconds": step / 10})

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass

    def poll(self) -> int:
        return 0


class InAttempts(Training):
    """A training that consists of several."""

    below = "attempt-0"


class Failing(Training):
    """One that ends without a step."""

    def train(self, folder: Path, steps: int, said: BinaryIO) -> None:
        said.write(b"warning\nError: no luck\n")


def started(kind: type[Training], patch: pytest.MonkeyPatch) -> type[Training]:
    """Every training that is measured is of a kind from now on, which notes how it is started."""
    patch.setattr(kind, "asked", [], raising=False)
    patch.setattr(kind, "threads", [], raising=False)
    patch.setattr(costs, "subprocess", SimpleNamespace(Popen=kind, PIPE=-1, STDOUT=-2))
    return kind


@pytest.mark.parametrize(
    ("few", "many", "pace"),
    [
        pytest.param(3.0, 8.0, 5.0 / 10, id="the-difference-without-what-beginning-takes"),
        pytest.param(3.0, 2.6, 2.6 / 13, id="at-most-where-the-few-took-longer"),
    ],
)
def test_a_step_costs_something(
    few: float, many: float, pace: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trial(*words: object) -> SimpleNamespace:
        steps = words[-2]
        return SimpleNamespace(seconds=few if steps == 3 else many, wall=10.0, memory=None)

    monkeypatch.setattr(costs, "_trial", trial)
    monkeypatch.setattr(costs, "_LONG", 10.0)
    assert measure(CELL, "quick", threads=1).pace == pytest.approx(pace)


def test_until_the_first_step_it_takes_the_shorter_time_and_in_all_the_longer_trainings_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def trial(*words: object) -> SimpleNamespace:
        first = words[-2] == 3
        return SimpleNamespace(
            seconds=1.0 if first else 5.0, wall=8.0 if first else 13.0, memory=10 if first else 20
        )

    monkeypatch.setattr(costs, "_trial", trial)
    cost = measure(CELL, "quick", threads=1)
    assert (cost.start, cost.memory) == (7.0, 20)


def test_a_length_among_the_options_is_neither_the_measurements_nor_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    training = started(Training, monkeypatch)
    more = ("--iterations", "1000", "--warm-up", "10", "--batch=8")
    cost = measure(CELL, "quick", threads=1, more=more)
    assert (cost.steps, cost.batch, cost.pace, cost.changes) == (21_120, 8, pytest.approx(0.1), "batch 8")
    assert cost.left(CELL.config("quick", more=more), 400) == pytest.approx(cost.start + 60)
    assert [asked["--iterations"] for asked in training.asked] == ["3", "63"]  # six seconds more
    assert {asked["--warm-up"] for asked in training.asked} == {"0"}


def test_of_several_attempts_one_is_measured_with_the_threads_that_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    training = started(InAttempts, monkeypatch)
    cost = measure(CELL, "quick", threads=2)
    assert (cost.pace, cost.threads) == (pytest.approx(0.1), 2)
    assert training.threads == ["2", "2"]


def test_a_training_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    started(Failing, monkeypatch)
    with pytest.raises(ValueError, match="distorted-mnist r/fcn cannot be measured: Error: no luck"):
        measure(CELL, "quick", threads=1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_memory_is_told_in_bytes() -> None:
    most = costs._most_memory(os.getpid())
    assert most is not None
    assert most > 20_000_000  # torch alone takes more; in kilobytes it would be a thousandth
    assert costs._most_memory(2**22 + 1) is None  # more processes than there can be
