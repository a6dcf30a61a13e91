"""Which configuration is fastest: tried once for every sort of call, remembered while the process lives."""

from collections.abc import Callable, Hashable, Sequence
from statistics import median
from typing import TypeVar

import torch

from .configurations import Configuration
from .loading import INTERPRETING

ROUNDS = 5
WORTHWHILE = 2**20
"""Numbers written by a call from which on a better configuration is worth looking for."""

_chosen: dict[Hashable, Configuration] = {}
Result = TypeVar("Result")


def run_fastest(
    key: Hashable,
    choices: Sequence[Configuration],
    attempt: Callable[[Configuration], Result],
    work: int,
) -> Result:
    """Runs a call in the fastest of its configurations.

    The first is taken, untried, where sums must come out the same in every process (with deterministic
    algorithms), where time cannot be measured (while a CUDA graph is captured, or interpreted), and where
    there is too little work.

    Args:
        key: Calls of one key have their configuration in common.
        choices: At least one.
        attempt: Makes the call, as often as it is asked to.
        work: Numbers that the call writes.
    """
    if len(choices) == 1 or INTERPRETING or work < WORTHWHILE or torch.are_deterministic_algorithms_enabled():
        return attempt(choices[0])
    choice = _chosen.get(key)
    if choice is None:
        if torch.cuda.is_current_stream_capturing():
            return attempt(choices[0])
        choice = _chosen[key] = min(choices, key=lambda one: _milliseconds(one, attempt))
    return attempt(choice)


def sort_of(*numbers: int) -> tuple[int, ...]:
    """Sizes by their powers of two: calls that differ less have their configuration in common."""
    return tuple(number.bit_length() for number in numbers)


def _milliseconds(choice: Configuration, attempt: Callable[[Configuration], object]) -> float:
    attempt(choice)  # compiles
    times = []
    for _ in range(ROUNDS):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        attempt(choice)
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return median(times)
