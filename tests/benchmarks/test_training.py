"""python -m benchmarks.training: the sides agree, take turns, and where the time goes adds up."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from benchmarks import record
from benchmarks.training import __main__ as command
from benchmarks.training import tutorial
from benchmarks.training.__main__ import main
from benchmarks.training.agreement import TOLERANCE, difference
from benchmarks.training.clock import PARTS, Clock
from benchmarks.training.measure import CASES, Case
from benchmarks.training.page import tables
from benchmarks.training.sides import EXACT, OURS, SIDES, TUTORIAL
from torchstn.data import DISTORTIONS, load_mnist
from torchstn.recipes.digits import split
from torchstn.recipes.distorted_mnist import build_model


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_sides_compute_the_same(case: Case) -> None:
    assert difference(case, "demo") < TOLERANCE


def test_another_convention_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    sampled = torch.nn.functional.grid_sample
    monkeypatch.setattr(
        tutorial.F, "grid_sample", lambda x, grid, align_corners: sampled(x, grid, align_corners=False)
    )
    assert difference(Case("RTS", "st-fcn"), "demo") > TOLERANCE


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_tutorials_side_has_nothing_of_the_library(case: Case) -> None:
    modules = tutorial.Net(build_model(case.config("demo"))).modules()
    assert {type(module).__module__.split(".")[0] for module in modules} <= {"torch", "benchmarks"}


@pytest.mark.parametrize("distortion", ["R", "RTS"])
def test_the_tutorials_pictures_are_like_ours(distortion: str) -> None:
    """Of the same digits: as large, as much ink, as far spread, up to other angles and places."""
    digits, _ = split(load_mnist(None), 0)
    some = digits[torch.arange(0, 4000, 10)]
    ours = DISTORTIONS[distortion](some.images, some.indices, seed=0, epoch=0)
    data = tutorial.DistortedDigits(some, distortion)
    theirs = torch.stack([data[index][0] for index in range(len(data))])
    assert theirs.shape == ours.shape
    assert [label for _, label in (data[0], data[399])] == [int(some.labels[0]), int(some.labels[399])]
    assert float(theirs.mean()) == pytest.approx(float(ours.mean()), rel=0.05)
    spreads = [float(pictures.mean(0).square().sum()) for pictures in (theirs, ours)]
    assert spreads[0] == pytest.approx(spreads[1], rel=0.1)


class Slow(nn.Module):
    """Takes two ticks forward and three backward."""

    def __init__(self, tick: Any) -> None:
        super().__init__()
        self.weight, self.tick = nn.Parameter(torch.ones(())), tick

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.tick(2)
        y = x * self.weight
        y.register_hook(lambda _: self.tick(3))
        return y


def test_the_clock_gives_each_part_its_time() -> None:
    time = [0.0]

    def tick(seconds: float) -> None:
        time[0] += seconds

    model = nn.Module()
    model.transformer, model.classifier = Slow(tick), Slow(lambda _: tick(10))
    clock = Clock(model, lambda: time[0])
    tick(7)
    clock.mark("data")
    # The gradient's hooks run where it arrives: the transformer's own, at its output, before its three ticks.
    model.classifier(model.transformer(torch.ones(()))).backward()
    tick(5)
    clock.mark("optimiser")
    assert sum(clock.parts.values()) == time[0]
    assert clock.parts["data"] == 7
    assert clock.parts["optimiser"] == 5
    assert clock.parts["transformer"] + clock.parts["classifier"] == 25
    assert clock.parts["classifier"] >= 20
    clock.restart()
    assert set(clock.parts.values()) == {0.0}


@pytest.mark.slow
def test_a_case_is_measured_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "record.json"
    words = ["--quick", "--preset", "demo", "--threads", "1", "--out", str(path)]
    assert main([*words, "--only", "r/st-fcn-affine"]) == 0
    entry = json.loads(path.read_text())["threads"]["1"]["r/st-fcn-affine"]
    assert set(entry) == {"sides", "measured", "commit", "load"}
    assert set(entry["sides"]) == set(SIDES)
    for side in entry["sides"].values():
        rate, parts = side["images_per_second"]["median"], side["seconds_a_step"]
        assert all(parts[part] > 0 for part in PARTS)
        assert 128 / sum(parts.values()) == pytest.approx(rate, rel=0.5)
    assert "r/st-fcn-affine" in capsys.readouterr().out


def test_missing_data_is_said_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "r/fcn", "--data-dir", str(tmp_path), "--out", str(tmp_path / "x.json")]) == 2
    assert "torchstn data get mnist" in capsys.readouterr().out


def test_an_unknown_case_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "q/*"]) == 2
    assert "no case matches q/*: r/fcn, r/cnn" in capsys.readouterr().out


@pytest.mark.parametrize("threads", ["x", "0", "1,-1", ","])
def test_threads_that_are_no_numbers_are_refused(threads: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--preset", "demo", "--only", "r/fcn", "--threads", threads]) == 2
    assert "`--threads` must be numbers as 1,2" in capsys.readouterr().out


def test_a_file_that_is_no_record_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.json").write_text("[]")
    for path, reason in ((tmp_path / "list.json", "is not a record"), (tmp_path, "it is a folder")):
        assert main(["--preset", "demo", "--only", "r/fcn", "--out", str(path)]) == 2
        assert reason in capsys.readouterr().out


def _measured(*words: str, monkeypatch: pytest.MonkeyPatch, results: Path, commit: str = "new") -> None:
    """Runs the command on numbers made up in no time."""
    made_up = _record(1.0, 0.1)["threads"]["1"]["rts/st-cnn-affine"]["sides"]
    now = {"measured": "2026-11-30T00:00", "commit": commit, "load": 0.0}
    monkeypatch.setattr(command, "run_case", lambda *_: made_up)
    monkeypatch.setattr(command, "difference", lambda *_: 0.0)
    monkeypatch.setattr(command, "_data", lambda folder: folder)
    monkeypatch.setattr(command, "PAGE", results / "page.md")
    monkeypatch.setattr(record, "RESULTS", results)
    monkeypatch.setattr(record, "provenance", lambda: now)
    (results / "page.md").write_text("<!-- training:begin -->\n<!-- training:end -->\n")
    assert main(["--threads", "1", *words]) == 0


def test_what_means_nothing_stays_out_of_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _measured("--quick", "--only", "r/fcn", monkeypatch=monkeypatch, results=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


def test_another_preset_has_a_record_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for preset in ("quick", "demo"):
        _measured("--preset", preset, "--only", "r/fcn", monkeypatch=monkeypatch, results=tmp_path)
    found = [json.loads(path.read_text())["preset"] for path in tmp_path.glob("training-*.json")]
    assert sorted(found) == ["demo", "quick"]


def test_each_cell_keeps_the_commit_it_was_measured_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, commit in (("r/fcn", "old"), ("r/cnn", "new+")):
        _measured("--only", name, monkeypatch=monkeypatch, results=tmp_path, commit=commit)
    (path,) = tmp_path.glob("training-*.json")
    cells = json.loads(path.read_text())["threads"]["1"]
    assert {name: cell["commit"] for name, cell in cells.items()} == {"r/fcn": "old", "r/cnn": "new+"}
    assert "Commit new+, old; 2026-11-30." in (tmp_path / "page.md").read_text()


def _record(ours: float, data: float) -> dict[str, Any]:
    def side(rate: float, data: float) -> dict[str, Any]:
        parts = {"data": data, "transformer": 0.2, "classifier": 0.7 - data, "optimiser": 0.1}
        return {
            "images_per_second": {"median": rate, "lower": 0.9 * rate, "upper": 1.1 * rate},
            "seconds_a_step": parts,
        }

    sides = {OURS: side(ours, data), EXACT: side(150.0, data), TUTORIAL: side(100.0, 0.3)}
    cell = {"sides": sides, "commit": 40 * "c" + "+", "measured": "2026-01-02T03:04", "load": 0.0}
    head = {"machine": "a machine", "versions": {"torch": "2"}, "preset": "quick"}
    return {**head, "threads": {"1": {"rts/st-cnn-affine": cell}}}


@pytest.mark.parametrize(("ours", "verdict"), [(200.0, "2x, met"), (199.0, "2x, missed")])
def test_the_aim_is_met_or_missed(ours: float, verdict: str) -> None:
    text = tables(_record(ours, 0.05))
    assert f"| **{ours / 100:.2f}x** | **1.50x** | {verdict} |" in text
    assert f"{ours:.0f} ± 10%" in text
    assert "Commit cccccccccc+; 2026-01-02." in text


def test_data_that_takes_too_long_is_marked() -> None:
    assert "| 40 (4%) | 200 (20%) |" in tables(_record(200.0, 0.04))
    assert "| 60 (6%), more than 5% |" in tables(_record(200.0, 0.06))
    assert tables({**_record(1.0, 0.1), "threads": {}}) == "No measurements yet.\n"
