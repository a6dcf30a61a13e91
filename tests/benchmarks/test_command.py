"""python -m benchmarks, on tiny sizes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from benchmarks import record, run, table
from benchmarks.__main__ import main
from benchmarks.case import OURS, Case
from benchmarks.cases import select
from benchmarks.peers import PEERS, Call
from benchmarks.timing import QUICK

TORCH_ONLY = [word for name in PEERS if name not in (OURS, "torch") for word in ("--without", name)]


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nothing had been changed since the last commit."""
    monkeypatch.setattr(record, "commit", lambda _: "0123456789abcdef")


def _run(out: Path, *words: str) -> tuple[int, dict[str, Any]]:
    status = main(["--quick", "--threads", "1", "--out", str(out), *TORCH_ONLY, *words])
    return status, json.loads(out.read_text()) if out.exists() else {}


def test_a_case_is_checked_timed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = _run(tmp_path / "record.json", "--only", "affine-tiny")
    assert status == 0
    entry = found["cases"]["affine-tiny"]
    assert set(entry["threads"]["1"]["both"]) == {OURS, "torch"}
    assert entry["agreement"]["torch"]["parameter"] < 1e-4
    assert entry["targets"]["forward"]["wanted"] == 1
    assert entry["bandwidth"]["1"] > 0
    assert "affine-tiny" in capsys.readouterr().out


def test_memory_of_a_matrix_grid_is_measured(tmp_path: Path) -> None:
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("needs Linux's high-water mark")
    _, found = _run(tmp_path / "record.json", "--only", "affine-tiny")
    assert found["cases"]["affine-tiny"]["memory"][OURS]["forward"] < 50_000_000


def test_another_case_joins_the_record(tmp_path: Path) -> None:
    _run(tmp_path / "record.json", "--only", "affine-tiny")
    _, found = _run(tmp_path / "record.json", "--only", "points-3d")
    assert set(found["cases"]) == {"affine-tiny", "points-3d"}


@pytest.mark.usefixtures("committed")
def test_measuring_one_number_of_threads_keeps_the_other(tmp_path: Path) -> None:
    _, first = _run(tmp_path / "record.json", "--only", "points", "--threads", "2")
    _, both = _run(tmp_path / "record.json", "--only", "points")
    assert set(both["cases"]["points"]["threads"]) == {"1", "2"}
    assert both["cases"]["points"]["threads"]["2"] == first["cases"]["points"]["threads"]["2"]
    assert both["cases"]["points"]["scaling"]["forward"]["threads"] == 2


@pytest.mark.usefixtures("committed")
def test_resuming_measures_only_what_is_missing(tmp_path: Path) -> None:
    _, first = _run(tmp_path / "record.json", "--only", "points")
    _, again = _run(tmp_path / "record.json", "--only", "points", "--resume")
    assert again["cases"] == first["cases"]
    _, anew = _run(tmp_path / "record.json", "--only", "points")
    assert anew["cases"]["points"]["threads"] != first["cases"]["points"]["threads"]


@pytest.mark.usefixtures("committed")
def test_resuming_measures_whom_an_entry_left_out(tmp_path: Path) -> None:
    words = ["--quick", "--threads", "1", "--out", str(tmp_path / "record.json"), "--only", "free-form"]
    main([*words, "--without", "reference"])
    main([*words, "--resume"])
    entry = record.read(tmp_path / "record.json")["cases"]["free-form"]
    assert set(entry["threads"]["1"]["forward"]) == {OURS, "reference"}


@pytest.mark.parametrize("commit", [None, "0123456789abcdef+"])
def test_resuming_trusts_no_uncommitted_code(
    commit: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "commit", lambda _: commit)
    _, first = _run(tmp_path / "record.json", "--only", "points")
    _, again = _run(tmp_path / "record.json", "--only", "points", "--resume")
    assert again["cases"]["points"]["threads"] != first["cases"]["points"]["threads"]


def test_times_stand_where_memory_cannot_be_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Measuring the memory failed:\n  a trace\nOSError: no room")

    monkeypatch.setattr(run, "peak_memory", fail)
    status, found = _run(tmp_path / "record.json", "--only", "affine-tiny")
    assert status == 1
    entry = found["cases"]["affine-tiny"]
    assert set(entry["threads"]["1"]["forward"]) == {OURS, "torch"}
    assert entry["memory_failed"] == "OSError: no room"
    assert "OSError: no room" in capsys.readouterr().out
    assert "memory was not measured in affine-tiny: OSError: no room" in table.tables(found)


def test_a_failure_says_with_how_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    eager, (case,) = PEERS["torch"], select(["points"])
    counts: list[int] = []
    monkeypatch.setattr(run, "set_threads", counts.append)  # the other tests go on with one

    def broken(case: Case) -> Call:
        call = eager(case)

        def warp(image: Tensor, points: Tensor) -> Tensor:
            if counts[-1] == 2:
                raise RuntimeError("broken")
            return call.run(image, points)

        return replace(call, run=warp)

    monkeypatch.setitem(PEERS, "torch", broken)
    entry = run.run_case(replace(case.shrunk(), peers=("torch",)), [1, 2], QUICK, quick=True)
    assert "torch" in entry["threads"]["1"]["forward"]
    assert entry["failed"] == {"torch": "with 2 thread(s), RuntimeError: broken"}


def test_a_wrong_gradient_is_an_error_and_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    eager = PEERS["torch"]

    def wrong(case: Case) -> Call:
        call = eager(case)

        def run(image: Tensor, matrix: Tensor) -> Tensor:
            return call.run(image, matrix + 0.5 * (matrix - matrix.detach()))

        return replace(call, run=run)

    monkeypatch.setitem(PEERS, "torch", wrong)
    status, found = _run(tmp_path / "record.json", "--only", "affine-tiny")
    assert status == 1
    entry = found["cases"]["affine-tiny"]
    assert "gradient of the parameters" in entry["failed"]["torch"]
    assert set(entry["threads"]["1"]["forward"]) == {OURS}
    assert entry["targets"]["forward"]["met"] is None
    assert "gradient of the parameters" in " ".join(capsys.readouterr().out.split())


def test_a_case_that_fails_does_not_cost_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = PEERS[OURS]

    def broken(case: Case) -> Call:
        if case.name == "affine-tiny":
            raise RuntimeError("broken")
        return ours(case)

    monkeypatch.setitem(PEERS, OURS, broken)
    status, found = _run(tmp_path / "record.json", "--only", "affine-tiny", "--only", "points")
    assert status == 1
    assert set(found["cases"]) == {"points"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "afine"], "affine-digits"),
        (["--threads", "0"], "numbers as 1,2"),
        (["--threads", "many"], "numbers as 1,2"),
        (["--render"], "record.json cannot be read"),
    ],
)
def test_a_mistake_is_explained(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--quick", "--out", str(tmp_path / "record.json"), *words]) == 2
    assert message in " ".join(capsys.readouterr().out.split())
    assert not (tmp_path / "record.json").exists()


def test_a_folder_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.__main__.run_case", lambda *_, **__: pytest.fail("it was measured"))
    assert main(["--quick", "--out", str(tmp_path), "--only", "points"]) == 2
    assert "it is a folder" in capsys.readouterr().out


def test_a_peer_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--list", "--without", "kornnia"])
    assert "argument --without: invalid choice: 'kornnia' (choose from" in capsys.readouterr().err


def test_names_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert "thin-plate-large" in capsys.readouterr().out
