"""The plan: which trainings are done, which have begun, what the rest will take."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..training.provenance import cores
from .costs import Cost, Costs
from .job import Job

_MEMORY = 1.5e9
"""Bytes that a training is thought to need where it has not been measured."""


class Guess(NamedTuple):
    """What a training took under other circumstances.

    Attributes:
        seconds: Until it ends.
        source: Where, and with how many threads.
    """

    seconds: float
    source: str


@dataclass(frozen=True)
class Plan:
    """What is to be trained, and what is known of its costs.

    Attributes:
        jobs: All of them, those with a result too.
        threads: That each computes with.
        costs: Of this machine.
        elsewhere: Of others, for what nobody has measured here.
    """

    jobs: tuple[Job, ...]
    threads: int
    costs: Costs
    elsewhere: tuple[Costs, ...] = ()

    @property
    def to_do(self) -> list[Job]:
        """Those without a result, those that have begun first, then each cell once before another seed.

        The longest come before the others, so that no core idles while another has a long one to end with.
        """
        open_ = [job for job in self.jobs if job.record is None]
        return sorted(open_, key=lambda job: (not job.is_started, job.seed, -self._seconds(job)))

    def _seconds(self, job: Job) -> float:
        """What is known of a job's length, or guessed; 0 if nothing."""
        left = self.left(job)
        if left is None and (guess := self.guess(job)):
            left = guess.seconds
        return left or 0.0

    def left(self, job: Job) -> float | None:
        """Seconds that a job still needs, at its own pace or the measured one; None if neither is known."""
        if job.record is not None:
            return 0.0
        seen = job.progress()
        if seen.seconds_left is not None:
            return seen.seconds_left
        cost = self._cost(job)
        return None if cost is None else cost.left(job.config, seen.step)

    def guess(self, job: Job) -> Guess | None:
        """What a job took here with other threads, else on the machine whose threads come nearest, if any."""
        for machines in ((self.costs,), self.elsewhere):
            found = [
                (cost, costs.machine)
                for costs in machines
                for cost in costs.alike(job.cell, job.preset, job.more)
            ]
            if found:
                cost, machine = min(found, key=lambda one: abs(one[0].threads - self.threads))
                where = ", ".join(machine.split(", ")[:2])
                seconds = cost.left(job.config, job.progress().step)
                return Guess(seconds, f"{where}, with --threads {cost.threads}")
        return None

    def _cost(self, job: Job) -> Cost | None:
        return self.costs.find(job.cell, job.preset, self.threads, job.more)

    def side_by_side(self) -> int:
        """How many fit this machine's cores and the memory that is free."""
        found = [self._cost(job) for job in self.to_do]
        largest = max([_MEMORY, *(cost.memory for cost in found if cost is not None and cost.memory)])
        by_memory = len(self.jobs) if (free := free_memory()) is None else int(free / largest)
        return max(1, min(cores() // self.threads, by_memory))


class Whole(NamedTuple):
    """What several jobs need if one follows another.

    Attributes:
        seconds: Of those whose cost is known here.
        guesses: Of those that were measured under other circumstances only.
        unknown: How many nobody has measured.
    """

    seconds: float
    guesses: tuple[Guess, ...]
    unknown: int


def in_all(plan: Plan, jobs: Sequence[Job]) -> Whole:
    """What these jobs need."""
    known = [plan.left(job) for job in jobs]
    others = [plan.guess(job) for job, left in zip(jobs, known, strict=True) if left is None]
    guesses = tuple(guess for guess in others if guess is not None)
    seconds = sum(left for left in known if left is not None)
    return Whole(seconds, guesses, len(others) - len(guesses))


def free_memory() -> int | None:
    """Bytes that are free or can be freed, where Linux tells."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return 1024 * int(found[0]) if found else None
