"""The peak beyond what is given back."""

import subprocess
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks import memory
from benchmarks.cases import CASES
from benchmarks.memory import peak_of

MEGABYTE = 2**18  # numbers of float32
# Counters of used memory are exact to some pages a core.
SLACK = 3e6

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the high-water mark is Linux's"
)


def _task(temporary: int, given: int) -> tuple[Tensor, ...]:
    scratch = torch.ones(temporary * MEGABYTE)
    return (torch.ones(given * MEGABYTE) * scratch[0],)


def test_what_is_needed_meanwhile_counts() -> None:
    assert peak_of(lambda: _task(200, 0), 0) == pytest.approx(200 * 2**20, abs=SLACK)


def test_what_is_given_back_does_not() -> None:
    assert peak_of(lambda: (torch.ones(100 * MEGABYTE),), 0) == pytest.approx(0, abs=SLACK)


def test_an_output_that_is_not_returned_is_taken_off() -> None:
    assert peak_of(lambda: _task(200, 0), 150 * 2**20) == pytest.approx(50 * 2**20, abs=SLACK)


def test_the_peak_starts_anew_each_time() -> None:
    peak_of(lambda: _task(300, 0), 0)
    assert peak_of(lambda: _task(100, 0), 0) == pytest.approx(100 * 2**20, abs=SLACK)


def test_a_process_that_takes_too_long_is_an_error_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(command: list[str], **options: float) -> None:
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(subprocess, "run", wait)
    with pytest.raises(RuntimeError, match=r"memory of affine-digits took more than 120 s\."):
        memory.peak_memory(CASES[0], ["torch"])
