"""Peak memory of one call beyond its inputs and what it gives back, measured in a process of its own."""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from .case import Case, Pass
from .cases import CASES
from .peers import PEERS
from .problem import make_problem
from .solution import Solution

# Larger blocks come from the system and go straight back to it, so that nothing is hidden in a heap.
ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}

SECONDS = 120
"""A process of ours may take."""

Peaks = dict[Pass, int]


def peak_memory(case: Case, names: Sequence[str], *, quick: bool = False) -> dict[str, Peaks | None]:
    """Bytes needed beyond inputs, output and gradients, by library and pass; None where that is unknown.

    Raises:
        RuntimeError: If the process fails, or takes too long.
    """
    if not Path("/proc/self/clear_refs").exists():
        return dict.fromkeys(names)
    command = [sys.executable, "-m", "benchmarks.memory", case.name, "quick" if quick else "full", *names]
    try:
        done = subprocess.run(
            command,
            cwd=Path(__file__).parents[1],
            env=os.environ | ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"Measuring the memory of {case.name} took more than {SECONDS} s.") from error
    if done.returncode:
        raise RuntimeError(f"Measuring the memory of {case.name} failed:\n{done.stderr}")
    result: dict[str, Peaks | None] = json.loads(done.stdout)
    return result


def measured_here(case: Case, peer: str) -> Peaks | None:
    """The same, of this process."""
    problem = make_problem(case)
    solution = Solution(PEERS[peer](case), problem)
    result: Peaks = {}
    for which in ("forward", "both"):
        task = solution.timed(which)
        if task is None:
            continue
        task()  # threads, caches and libraries are there once and for all
        output = problem.grad_output.nbytes if which == "both" else 0  # it is not returned with the gradients
        peaks = [peak_of(task, output) for _ in range(3)]
        if None in peaks:
            return None
        result[which] = int(median(peak for peak in peaks if peak is not None))
    return result


def peak_of(task: Callable[[], Any], output: int) -> int | None:
    """Bytes beyond what is in use before, what the task returns, and `output`."""
    before = _reset()
    if before is None:
        return None
    given = task()
    return max(0, _status("VmHWM") - before - _nbytes(given) - output)


def _nbytes(given: Any) -> int:
    return sum(each.nbytes for each in (given if isinstance(given, tuple) else (given,)) if _is_tensor(each))


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor)


def _reset() -> int | None:
    """Gives free memory back, lets the peak start anew from here, and returns what is in use."""
    ctypes.CDLL(None).malloc_trim(0)
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return _status("VmRSS")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/self/status has no {name}.")


def main(name: str, sizes: str, *peers: str) -> None:
    """Prints the result of one case as JSON."""
    torch.set_num_threads(1)
    case = next(case for case in CASES if case.name == name)
    case = case.shrunk() if sizes == "quick" else case
    sys.stdout.write(json.dumps({peer: measured_here(case, peer) for peer in peers}))


if __name__ == "__main__":
    main(*sys.argv[1:])
