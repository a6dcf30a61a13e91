"""How the trainings go: bars on a terminal, elsewhere a line a minute and one for each that has ended."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from .job import Job
from .plan import Left


class Terminal:
    """Shows every running job and the whole as bars, and a line for each that has ended; a context manager.

    Args:
        total: Jobs in all.
        side_by_side: How many run at a time.
        left: Estimates what a job still needs, None where nobody knows.
        console: Where to write. On no terminal a line comes every minute in place of the bars.
        every: Seconds between two such lines.
    """

    def __init__(
        self,
        total: int,
        side_by_side: int,
        left: Callable[[Job], Left | None],
        console: Console,
        every: float = 60.0,
    ) -> None:
        self.console, self.total, self.side_by_side, self.left = console, total, side_by_side, left
        self.ended = 0
        self._every, self._told = 2.0 if console.is_terminal else every, time.monotonic()
        self._bars: dict[Job, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._all = self._progress.add_task("all", total=total, told="")

    def __enter__(self) -> "Terminal":
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def started(self, job: Job) -> None:
        """A job has begun to train."""
        self._bars[job] = self._progress.add_task(escape(job.name), total=None, told="")

    def finished(self, job: Job, record: Mapping[str, Any]) -> None:
        """A job has its result."""
        paper = "" if record["paper"] is None else f", the paper's {record['paper']:g}"
        minutes = f"{record['wall_seconds'] / 60:.1f} minutes"
        self._end(job, f"{job.name}: {record['metric']} {record['value']:.2f}{paper}; {minutes}")

    def failed(self, job: Job, tail: str) -> None:
        """A job has ended without one; the last lines of what it said."""
        lines = "\n".join(f"    {line}" for line in tail.splitlines())
        self._end(job, f"{job.name} FAILED; it said (all of it in {job.log}):\n{lines}")

    def postponed(self, job: Job) -> None:
        """Another process trains it; it will be looked at again."""
        self._drop(job)
        self._say(f"{job.name} waits: another process is at it, or at what it needs")

    def tick(self, running: Sequence[Job], waiting: Sequence[Job]) -> None:
        """Some time has passed."""
        if time.monotonic() - self._told < self._every:
            return
        self._told = time.monotonic()
        each = [self._show(job) for job in running]
        rest = in_words(self._rest([*running, *waiting]))
        self._progress.update(self._all, completed=self.ended, told=f"{self._count()}{rest}")
        if not self.console.is_terminal:
            self._say(f"{self._count()}{rest}. Training {'; '.join(each) or 'nothing'}")

    def _count(self) -> str:
        return f"{self.ended} of {self.total} done"

    def _show(self, job: Job) -> str:
        """Brings a job's bar up to date, and says the same in words."""
        seen = job.progress()
        error = "" if seen.error is None else f"error {seen.error:.2f}"
        told = f"{error}{in_words(self.left(job))}".removeprefix(", ")
        if job in self._bars:
            self._progress.update(self._bars[job], completed=seen.step, total=seen.steps, told=told)
        share = f" {100 * seen.step // seen.steps} %" if seen.steps else ""
        return f"{job.name}{share} {told}".rstrip()

    def _rest(self, jobs: Sequence[Job]) -> Left | None:
        """Until all are done, if each takes what it is estimated to."""
        each = [self.left(job) for job in jobs]
        known = [left for left in each if left]
        if not known or len(known) < len(each):
            return None
        seconds = [left.seconds for left in known]
        source = next((left.source for left in known if left.source), "")
        return Left(max(sum(seconds) / self.side_by_side, *seconds), source)

    def _end(self, job: Job, line: str) -> None:
        self._drop(job)
        self.ended += 1
        self._say(f"{line}\n{self._count()}" if not self.console.is_terminal else line)

    def _drop(self, job: Job) -> None:
        if job in self._bars:
            self._progress.remove_task(self._bars.pop(job))

    def _say(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


def in_words(left: Left | None) -> str:
    """What is left, a guess with a tilde, as the end of a sentence; nothing if nobody knows."""
    if left is None:
        return ""
    minutes = round(left.seconds / 60)
    long = f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
    return f", {'~' if left.source else ''}{long} to go" if minutes else ", less than a minute to go"
