"""Timing: everyone takes turns in one process, in random order, round after round."""

import gc
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from math import ceil
from statistics import median, quantiles
from time import perf_counter
from typing import Any


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        shortest: Seconds a measurement lasts at least, if need be by calling several times.
        rounds: Rounds at most.
        fewest: Rounds everyone takes part in, however slow.
        watched: The same for those whose ratio is a target.
        budget: Seconds for each library, a pass and number of threads; slow ones sit out rounds.
    """

    shortest: float = 0.02
    rounds: int = 13
    fewest: int = 3
    watched: int = 5
    budget: float = 0.4


QUICK = Effort(shortest=0.001, rounds=2, fewest=2, watched=2, budget=0.01)


@dataclass(frozen=True)
class Timing:
    """Seconds a call: the median over the rounds, and the quartiles around it."""

    median: float
    lower: float
    upper: float
    rounds: int
    calls: int


def measure(
    tasks: Mapping[str, Callable[[], Any]],
    effort: Effort,
    *,
    watched: Collection[str] = (),
    order: random.Random | None = None,
    clock: Callable[[], float] = perf_counter,
) -> dict[str, Timing]:
    """The time of every task, interleaved: a disturbance of the machine meets all alike.

    Args:
        tasks: What to call, by name.
        effort: How long.
        watched: Names of those that `Effort.watched` is for.
        order: Shuffles the turns in each round.
        clock: Seconds.
    """
    order = order or random.Random(0)  # noqa: S311  # turns, not secrets
    calls, turns = {}, {}
    for name, task in tasks.items():
        once = _once(task, clock)
        calls[name] = max(1, ceil(effort.shortest / max(once, 1e-9)))
        possible = int(effort.budget / max(once * calls[name], 1e-9))
        turns[name] = min(effort.rounds, max(effort.watched if name in watched else effort.fewest, possible))
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(effort.rounds):
        here = [name for name in tasks if _takes_part(number, turns[name], effort.rounds)]
        order.shuffle(here)
        for name in here:
            seconds[name].append(_time(tasks[name], calls[name], clock))
    return {name: _summary(values, calls[name]) for name, values in seconds.items()}


def _once(task: Callable[[], Any], clock: Callable[[], float]) -> float:
    """Seconds of one call, the quickest of three if it is short; the first may still set things up."""
    first = _time(task, 1, clock)
    return min(first, *(_time(task, 1, clock) for _ in range(2))) if first < 0.5 else first


def _takes_part(number: int, turns: int, rounds: int) -> bool:
    """Spreads `turns` evenly over the rounds."""
    return (number + 1) * turns // rounds > number * turns // rounds


def _time(task: Callable[[], Any], calls: int, clock: Callable[[], float]) -> float:
    enabled = gc.isenabled()
    gc.disable()
    try:
        start = clock()
        for _ in range(calls):
            task()
        return (clock() - start) / calls
    finally:
        if enabled:
            gc.enable()


def _summary(seconds: list[float], calls: int) -> Timing:
    lower, _, upper = quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else seconds * 3
    return Timing(median(seconds), lower, upper, len(seconds), calls)
