"""On a terminal bars, elsewhere lines: what has ended, and every so often how far the rest is."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console
from support.stub_jobs import stub

from torchstn.reproduce import Left, Terminal
from torchstn.reproduce import view as module
from torchstn.training import Checkpoint, Run

RECORD = {"metric": "test error (%)", "value": 1.25, "paper": 0.5, "wall_seconds": 90.0}


def lines(view: Terminal) -> str:
    assert isinstance(view.console.file, io.StringIO)
    return view.console.file.getvalue()


def plain(every: float = 0.0) -> Terminal:
    console = Console(file=io.StringIO(), force_terminal=False, width=300)
    return Terminal(3, 2, lambda job: Left(3000.0), console, every)


def test_what_has_ended_is_a_line(tmp_path: Path) -> None:
    view = plain()
    view.started(stub(tmp_path, "a"))
    view.finished(stub(tmp_path, "a"), RECORD)
    assert lines(view) == "r/a seed 0: test error (%) 1.25, the paper's 0.5; 1.5 minutes\n1 of 3 done\n"


def test_a_failure_is_told_by_name_with_its_last_words(tmp_path: Path) -> None:
    view = plain()
    view.failed(stub(tmp_path, "a"), "no [bold]luck\nnone at all")
    assert "r/a seed 0 FAILED" in lines(view)
    assert f"{tmp_path}/runs/r/a/train.log" in lines(view)
    assert "    no [bold]luck\n    none at all\n1 of 3 done\n" in lines(view)


def test_every_so_often_a_line_tells_how_far_it_is(tmp_path: Path) -> None:
    jobs, view = [stub(tmp_path, name) for name in "abc"], plain()
    run = Run(jobs[0].run)
    run.start({"iterations": 1000})
    run.save_checkpoint(Checkpoint(250, {}))
    run.metrics.append({"step": 200, "seconds": 30.0, "error": 12.5})
    view.tick(jobs[:2], jobs[2:])
    assert lines(view) == (
        "0 of 3 done, 1 h 15 min to go. Training r/a seed 0 25 % error 12.50, 50 min to go; "
        "r/b seed 0 50 min to go\n"
    )


def test_the_rest_takes_no_less_than_the_longest(tmp_path: Path) -> None:
    view = plain()
    view.tick([stub(tmp_path, "a")], [])
    assert lines(view).startswith("0 of 3 done, 50 min to go.")


def test_nothing_is_said_of_the_rest_where_one_is_unknown(tmp_path: Path) -> None:
    view = plain()
    view.left = lambda job: Left(3000.0) if job.cell.name == "r/a" else None
    view.tick([stub(tmp_path, "a")], [stub(tmp_path, "b")])
    assert lines(view) == "0 of 3 done. Training r/a seed 0 50 min to go\n"


def test_of_a_guess_a_tilde_tells_and_so_of_a_sum_with_one(tmp_path: Path) -> None:
    view = plain()
    view.left = lambda job: Left(3000.0, "there" if job.cell.name == "r/a" else "")
    view.tick([stub(tmp_path, "a"), stub(tmp_path, "b")], [])
    assert lines(view) == (
        "0 of 3 done, ~50 min to go. Training r/a seed 0 ~50 min to go; r/b seed 0 50 min to go\n"
    )


def test_what_waits_has_not_ended(tmp_path: Path) -> None:
    view = plain()
    view.postponed(stub(tmp_path, "a"))
    view.tick([], [stub(tmp_path, "a")])
    assert lines(view).splitlines()[1].startswith("0 of 3 done")


def test_a_line_comes_whenever_the_time_has_passed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter((0.0, 59.0, 60.0, 60.0, 61.0, 119.0, 120.0, 120.0))
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(times)))
    view = plain(every=60.0)
    for _ in range(5):
        view.tick([stub(tmp_path, "a")], [])
    assert len(lines(view).splitlines()) == 2


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (29, ", less than a minute"), (59.5 * 60, ", 1 h 00 min"), (65 * 60, ", 1 h 05 min")],
)
def test_what_is_left_is_told_in_words(seconds: float | None, words: str) -> None:
    left = None if seconds is None else Left(seconds)
    assert module.in_words(left) == (f"{words} to go" if words else "")


def test_not_before_the_time_has_come(tmp_path: Path) -> None:
    view = plain(every=1000.0)
    view.tick([stub(tmp_path, "a")], [])
    assert lines(view) == ""


def test_a_terminal_shows_bars(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with Terminal(3, 2, lambda job: None, console) as view:
        view.started(stub(tmp_path, "a"))
        view.finished(stub(tmp_path, "b"), RECORD)
        view.postponed(stub(tmp_path, "c"))
    assert "r/a seed 0" in lines(view)
    assert "r/b seed 0: test error" in lines(view)
    assert "another process is at it" in lines(view)


def test_the_bar_of_all_counts_what_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((0.0, 9.0, 9.0))
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(times)))
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    with Terminal(4, 2, lambda job: None, console) as view:
        view.finished(stub(tmp_path, "a"), RECORD)
        view.tick([], [])
    assert "25 %" in lines(view)
    assert "1 of 4 done" in lines(view)
