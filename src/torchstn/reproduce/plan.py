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


class Left(NamedTuple):
    """What a training still needs.

    Attributes:
        seconds: Until it ends.
        source: Of a guess, where it took that long, and with how many threads; empty where it is known.
    """

    seconds: float
    source: str = ""


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
        left = self.left(job)
        return left.seconds if left else 0.0

    def left(self, job: Job) -> Left | None:
        """What a job still needs: at its own pace, else as measured here, else elsewhere; None if nowhere."""
        if job.record is not None:
            return Left(0.0)
        seen = job.progress()
        if seen.seconds_left is not None:
            return Left(seen.seconds_left)
        cost = self._cost(job)
        return Left(cost.left(job.config, seen.step)) if cost else self._guess(job, seen.step)

    def _guess(self, job: Job, done: int) -> Left | None:
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
                return Left(cost.left(job.config, done), f"{where}, with --threads {cost.threads}")
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
    guesses: tuple[Left, ...]
    unknown: int


def in_all(plan: Plan, jobs: Sequence[Job]) -> Whole:
    """What these jobs need."""
    each = [plan.left(job) for job in jobs]
    seconds = sum(left.seconds for left in each if left and not left.source)
    return Whole(seconds, tuple(left for left in each if left and left.source), each.count(None))


def free_memory() -> int | None:
    """Bytes that are free or can be freed, where Linux tells."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return 1024 * int(found[0]) if found else None
