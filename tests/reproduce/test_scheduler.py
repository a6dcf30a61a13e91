"""Jobs run side by side in real processes; one that fails, is stopped or is busy elsewhere harms no other."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.stub_jobs import RESULT, StubJob, stub

from torchstn.reproduce import Job, Scheduler
from torchstn.reproduce import scheduler as module
from torchstn.training import Run


class Recorder:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.tails: list[str] = []
        self.ticks = 0

    def started(self, job: Job) -> None:
        self.told.append(("started", job.cell.name))

    def finished(self, job: Job, record: Mapping[str, Any]) -> None:
        assert record["value"] == 1.25
        self.told.append(("finished", job.cell.name))

    def failed(self, job: Job, tail: str) -> None:
        self.tails.append(tail)
        self.told.append(("failed", job.cell.name))

    def postponed(self, job: Job) -> None:
        self.told.append(("postponed", job.cell.name))

    def tick(self, running: Sequence[Job], waiting: Sequence[Job]) -> None:
        self.ticks += 1


class Interrupting(Recorder):
    """Presses Ctrl-C once every running process has begun."""

    def tick(self, running: Sequence[Job], waiting: Sequence[Job]) -> None:
        if all((job.run / "starts").exists() for job in running):
            raise KeyboardInterrupt


def scheduler(jobs: Sequence[StubJob], side_by_side: int, view: Recorder) -> Scheduler:
    return Scheduler(jobs, side_by_side, 1, view, poll=0.02, again=0.1)


def spans(jobs: Sequence[StubJob]) -> list[tuple[float, float]]:
    return [(float((job.run / "starts").read_text()), float((job.run / "end").read_text())) for job in jobs]


@pytest.mark.parametrize("side_by_side", [1, 2])
def test_so_many_run_at_a_time_and_in_order(tmp_path: Path, side_by_side: int) -> None:
    jobs, view = [stub(tmp_path, name) for name in "abcd"], Recorder()
    assert len(scheduler(jobs, side_by_side, view).run().finished) == 4
    assert [name for what, name in view.told if what == "started"] == ["r/a", "r/b", "r/c", "r/d"]
    assert [what for what, _ in view.told].index("finished") == side_by_side
    at_a_time = [sum(one <= start < end for one, end in spans(jobs)) for start, _ in spans(jobs)]
    assert max(at_a_time) <= side_by_side


def test_what_has_a_result_is_not_started(tmp_path: Path) -> None:
    first, view = stub(tmp_path, "a"), Recorder()
    scheduler([first], 1, Recorder()).run()
    outcome = scheduler([first, stub(tmp_path, "b")], 1, view).run()
    assert [job.cell.name for job in outcome.finished] == ["r/a", "r/b"]
    assert ("started", "r/a") not in view.told
    assert len((first.run / "starts").read_text().splitlines()) == 1


def test_a_failure_is_told_with_the_end_of_its_log_and_stops_no_other(tmp_path: Path) -> None:
    jobs, view = [stub(tmp_path, "a", "fail"), stub(tmp_path, "b")], Recorder()
    jobs[0].run.mkdir(parents=True)
    jobs[0].log.write_text("of an earlier attempt\n")
    outcome = scheduler(jobs, 1, view).run()
    assert (outcome.failed, outcome.finished) == (jobs[:1], jobs[1:])
    assert view.tails == ["so it began\nit broke: no luck [today]\nIt ended with 3."]
    assert not jobs[0].result.exists()
    assert jobs[0].log.read_text().startswith("of an earlier attempt\nso it began\n")


def test_an_interrupt_stops_what_runs_gently_and_starts_nothing_more(tmp_path: Path) -> None:
    jobs = [stub(tmp_path, name, "wait") for name in "abc"]
    with pytest.raises(KeyboardInterrupt):
        scheduler(jobs, 2, Interrupting()).run()
    assert [(job.run / "stopped").exists() for job in jobs] == [True, True, False]
    assert not jobs[2].run.exists()


def test_ctrl_c_in_the_terminal_reaches_no_training_by_itself(tmp_path: Path) -> None:
    one = stub(tmp_path, "a")
    scheduler([one], 1, Recorder()).run()
    assert one.around["session"] != os.getsid(0)


def test_what_does_not_stop_when_asked_to_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GENTLY", 0.1)
    one = stub(tmp_path, "a", "stay")
    with pytest.raises(KeyboardInterrupt):
        scheduler([one], 1, Interrupting()).run()
    with pytest.raises(ProcessLookupError):
        os.kill(one.around["process"], 0)


def test_each_computes_with_so_many_threads(tmp_path: Path) -> None:
    one = stub(tmp_path, "a")
    Scheduler([one], 1, 3, Recorder(), poll=0.02).run()
    assert one.around["threads"] == "3"


def test_what_stumbles_over_its_own_result_has_it_all_the_same(tmp_path: Path) -> None:
    one = stub(tmp_path, "a", "stumble")
    outcome = scheduler([one], 1, Recorder()).run()
    assert (outcome.finished, outcome.failed) == ([one], [])


def test_of_much_that_was_said_the_end_is_told(tmp_path: Path) -> None:
    view = Recorder()
    scheduler([stub(tmp_path, "a", "rant")], 1, view).run()
    assert view.tails == ["\n".join([*map(str, range(8, 20)), "It ended with 3."])]


def test_what_another_process_is_at_waits_until_it_is_free(tmp_path: Path) -> None:
    busy, other = stub(tmp_path, "a", "busy"), stub(tmp_path, "b")
    busy.run.mkdir(parents=True)
    (busy.run / "busy").touch()

    class Freeing(Recorder):
        def finished(self, job: Job, record: Mapping[str, Any]) -> None:
            super().finished(job, record)
            (busy.run / "busy").unlink(missing_ok=True)

    view = Freeing()
    outcome = scheduler([busy, other], 1, view).run()
    assert [job.cell.name for job in outcome.finished] == ["r/b", "r/a"]
    assert view.told.index(("postponed", "r/a")) < view.told.index(("finished", "r/b"))


def test_what_another_process_is_at_is_left_alone_for_the_time_that_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, started = stub(tmp_path, "a", "busy"), list[int]()
    busy.run.mkdir(parents=True)
    (busy.run / "busy").touch()

    class Freeing(Recorder):
        def started(self, job: Job) -> None:
            started.append(self.ticks)

        def postponed(self, job: Job) -> None:
            (busy.run / "busy").unlink()
            started.append(self.ticks)

    view = Freeing()
    # A clock by which every look lasts a second.
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: view.ticks, sleep=time.sleep))
    Scheduler([busy], 1, 1, view, poll=0.01, again=30.0).run()
    _, postponed, again = started
    assert 30 <= again - postponed <= 32


def test_what_another_process_finished_meanwhile_is_taken_as_it_is(tmp_path: Path) -> None:
    busy, view = stub(tmp_path, "a", "busy"), Recorder()
    busy.run.mkdir(parents=True)
    (busy.run / "busy").touch()

    class Elsewhere(Recorder):
        def postponed(self, job: Job) -> None:
            super().postponed(job)
            busy.result.parent.mkdir(parents=True)
            busy.result.write_text(json.dumps(RESULT))

    view = Elsewhere()
    start = time.monotonic()
    assert scheduler([busy], 1, view).run().finished == [busy]
    assert view.told[-1] == ("finished", "r/a")
    assert len((busy.run / "starts").read_text().splitlines()) == 1
    assert time.monotonic() - start < 30


def test_a_run_of_other_settings_in_use_is_waited_for_and_makes_room_then(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Other(StubJob):
        @property
        def is_started(self) -> bool:
            return False

    other = Other(**vars(stub(tmp_path, "a")))
    run = Run(other.run)
    run.start({"seed": 0})

    class Freeing(Recorder):
        def finished(self, job: Job, record: Mapping[str, Any]) -> None:
            super().finished(job, record)
            freed.close()

    view = Freeing()
    with ExitStack() as freed:
        freed.enter_context(run.lock())
        outcome = scheduler([other, stub(tmp_path, "b")], 1, view).run()
    assert [job.cell.name for job in outcome.finished] == ["r/b", "r/a"]
    assert view.told[0] == ("postponed", "r/a")
    assert Run(f"{other.run}-before-1").config == {"seed": 0}
