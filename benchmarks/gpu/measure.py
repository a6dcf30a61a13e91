"""One case on a device: everyone is checked, then everyone takes turns under the clock."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from .. import record
from ..case import OURS, PASSES, Case
from ..checking import check
from ..peers.torchstn_itself import on_gpu
from ..problem import Problem, make_problem
from ..record import Json
from ..run import solutions_of
from ..solution import Solution, solve
from ..timing import Effort, measure
from .device import Clock

DETERMINISTIC = "torchstn, deterministic"
SLOWEST = 2.0
"""How much longer deterministic gradients may take."""


def run_case(
    case: Case, device: torch.device, effort: Effort, without: Sequence[str], bandwidth: float
) -> Json:
    """The case's entry in the record."""
    entry: Json = {"title": case.title, **record.provenance(), "absent": {}, "failed": {}, "times": {}}
    problem = _on(device, make_problem(case))
    with torch.device(device):
        peers = [name for name in case.peers if name not in without]
        solutions = solutions_of(case, problem, peers, entry, on_gpu(case))
        _check(case, solutions, entry)
    watched = (OURS, DETERMINISTIC, *([case.target.peer] if case.target else []))
    for which in PASSES:
        tasks = {name: task for name, one in solutions.items() if (task := one.timed(which)) is not None}
        if which == "both":
            tasks[DETERMINISTIC] = _deterministically(tasks[OURS])
        order = random.Random(case.name)  # noqa: S311  # turns, not secrets
        times = measure(tasks, effort, watched=watched, order=order, clock=Clock(device))
        entry["times"][which] = record.timings(times)
    return entry | _derived(case, entry["times"], bandwidth)


def _on(device: torch.device, problem: Problem) -> Problem:
    return Problem(*(value.to(device) for value in (problem.image, problem.parameter, problem.grad_output)))


def _check(case: Case, solutions: dict[str, Solution], entry: Json) -> None:
    """Takes out who disagrees with us, or fails."""
    ours = solve(case, solutions[OURS])
    with _deterministic():
        entry["deterministic"] = asdict(check(case, ours, solve(case, solutions[OURS]), DETERMINISTIC))
        same = solve(case, solutions[OURS]), solve(case, solutions[OURS])
        entry["same_bits"] = all(map(_equal, vars(same[0]).values(), vars(same[1]).values()))
    for name in [name for name in solutions if name != OURS]:
        try:
            check(case, ours, solve(case, solutions[name]), name)
        except Exception as error:  # noqa: BLE001  # another library's, of whatever kind
            entry["failed"][name] = f"{type(error).__name__}: {error}".splitlines()[0]
            del solutions[name]


def _equal(one: Tensor | None, other: Tensor | None) -> bool:
    return one is other or (one is not None and other is not None and torch.equal(one, other))


@contextmanager
def _deterministic() -> Iterator[None]:
    # Only warned of: torch's own operators beside ours may have no deterministic form.
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def _deterministically(task: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> None:
        with _deterministic():
            task()

    return run


def _derived(case: Case, times: Json, bandwidth: float) -> Json:
    """Ratios, targets and the share of the bandwidth that follow from the times."""
    ratios, share = record.ratios(times), record.shares(case, times, bandwidth)
    targets = record.targets(case, ratios)
    return {"bandwidth": bandwidth, "ratios": ratios, "bandwidth_share": share, "targets": targets}
