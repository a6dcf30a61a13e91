"""Trainings side by side, each in a process of its own, so that none can take another with it."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..training import FolderInUseError
from .job import Job, environment

_TAIL = 12
_GENTLY = 40.0
"""Seconds that a process has to stop by itself."""


class View(Protocol):
    """Who is told how it goes."""

    def started(self, job: Job) -> None:
        """A job has begun to train."""

    def finished(self, job: Job, record: Mapping[str, Any]) -> None:
        """A job has its result."""

    def failed(self, job: Job, tail: str) -> None:
        """A job has ended without one; the last lines of what it said."""

    def postponed(self, job: Job) -> None:
        """Another process trains it; it will be looked at again."""

    def tick(self, running: Sequence[Job], waiting: Sequence[Job]) -> None:
        """Some time has passed."""


@dataclass
class Outcome:
    """What came of the jobs."""

    finished: list[Job] = field(default_factory=list)
    failed: list[Job] = field(default_factory=list)


@dataclass(frozen=True)
class _Child:
    job: Job
    process: subprocess.Popen[bytes]
    said_before: int
    """Bytes of the log that are of earlier processes."""


class Scheduler:
    """Runs jobs, at most so many at a time, until each has its result or has failed.

    A job that has a result is not run. One that another process is at waits until that one lets go of it.

    Args:
        jobs: In the order in which they start.
        side_by_side: How many at a time.
        threads: That each computes with.
        view: Told how it goes.
        poll: Seconds between two looks.
        again: Seconds after which a job that another process is at is looked at again.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        side_by_side: int,
        threads: int,
        view: View,
        *,
        poll: float = 0.5,
        again: float = 20.0,
    ) -> None:
        self.waiting = list(jobs)
        self.side_by_side, self.threads, self.view = side_by_side, threads, view
        self.outcome = Outcome()
        self._poll, self._again = poll, again
        self._children: list[_Child] = []
        self._not_before: dict[Job, float] = {}

    def run(self) -> Outcome:
        """Runs them all; an exception, Ctrl-C among them, stops what is running before it goes on."""
        try:
            while self.waiting or self._children:
                self._start()
                self._collect()
                self.view.tick([child.job for child in self._children], self.waiting)
                time.sleep(self._poll)
        finally:
            self._stop()
        return self.outcome

    def _start(self) -> None:
        now = time.monotonic()
        for job in list(self.waiting):
            if len(self._children) >= self.side_by_side:
                return
            if self._not_before.get(job, 0.0) > now:
                continue
            self.waiting.remove(job)
            record = job.record
            if record is not None:
                self._finish(job, record)
                continue
            try:
                job.make_room()
            except FolderInUseError:
                self._postpone(job)
                continue
            self._children.append(self._launch(job))
            self.view.started(job)

    def _postpone(self, job: Job) -> None:
        self._not_before[job] = time.monotonic() + self._again
        self.waiting.append(job)
        self.view.postponed(job)

    def _launch(self, job: Job) -> _Child:
        job.run.mkdir(parents=True, exist_ok=True)
        with job.log.open("ab") as log:
            said_before = log.tell()
            process = subprocess.Popen(
                job.command,
                stdin=subprocess.PIPE,  # its end tells the child that we are gone
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(self.threads) | {"COLUMNS": "110"},
                start_new_session=True,  # Ctrl-C is ours to pass on
            )
        return _Child(job, process, said_before)

    def _collect(self) -> None:
        for child in [each for each in self._children if each.process.poll() is not None]:
            self._children.remove(child)
            self._close(child)
            job, record = child.job, child.job.record
            if record is not None:
                self._finish(job, record)
            elif child.process.returncode == FolderInUseError.exit_code:
                self._postpone(job)
            else:
                self.outcome.failed.append(job)
                self.view.failed(job, _tail(child))

    def _finish(self, job: Job, record: Mapping[str, Any]) -> None:
        self.outcome.finished.append(job)
        self.view.finished(job, record)

    def _stop(self) -> None:
        """Interrupts what runs and waits for it; what does not stop is killed, and resumes all the same."""
        for child in self._children:
            self._close(child)
        until = time.monotonic() + _GENTLY
        for child in self._children:
            try:
                child.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self._children.clear()

    def _close(self, child: _Child) -> None:
        if child.process.stdin is not None:
            child.process.stdin.close()


def _tail(child: _Child) -> str:
    """The last lines of what a process said."""
    said = child.job.log.read_bytes()[child.said_before :].decode(errors="replace")
    code = child.process.returncode
    return "\n".join([*said.splitlines()[-_TAIL:], f"It ended with {code}."])
