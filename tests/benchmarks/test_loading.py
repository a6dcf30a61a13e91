"""The loading benchmark runs, and its sides load the same pictures."""

import json
import multiprocessing
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.loading.__main__ import main, table
from benchmarks.loading.pictures import KINDS, draw_pictures
from benchmarks.loading.sides import Load, pillow, torchstn_itself
from benchmarks.timing import Timing


@pytest.mark.parametrize("kind", ["480 x 360 JPEG", "480 x 360 PNG"])
def test_sides_give_batches_of_the_same_pictures(kind: str, tmp_path: Path) -> None:
    names = draw_pictures(tmp_path, kind, 5)
    ours = torchstn_itself(tmp_path, names, 64, 3, 1)()
    theirs = pillow(tmp_path, names, 64, 3, 0)()
    assert ours.shape == theirs.shape == (2, 3, 64, 64)
    assert ours.dtype == theirs.dtype == torch.float32
    for one, other in zip(ours, theirs, strict=True):
        # Each is augmented in its own way; what they show is the same.
        assert abs(float(one.mean() - other.mean())) < 0.2
        assert 0 <= float(one.min()) <= float(one.max()) <= 1
    load = torchstn_itself(tmp_path, names, 64, 3, 2, keep=True)
    assert torch.equal(load(), ours)
    assert torch.equal(load(), ours)


def test_processes_outlive_a_load(tmp_path: Path) -> None:
    load = pillow(tmp_path, draw_pictures(tmp_path, "480 x 360 PNG", 2), 64, 2, 1)
    pids = []
    for _ in range(2):
        load()
        pids.append({process.pid for process in multiprocessing.active_children()})
    assert pids[0]
    assert pids[0] == pids[1]


def test_command_writes_a_record_and_its_table(tmp_path: Path) -> None:
    record = tmp_path / "loading.json"
    assert main(["--count", "4", "--rounds", "1", "--out", str(record)]) == 0
    found = json.loads(record.read_text())
    assert {row["pictures"] for row in found["rows"]} == set(KINDS)
    assert all(
        np.isfinite(row[way]) and row[way] > 0 for row in found["rows"] for way in ("pillow", "torchstn")
    )
    assert table(found).count("\n") == 4 + len(found["rows"])
    assert "threads" not in found["machine"]


def test_a_row_is_kept_when_the_next_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    medians = iter((0.5, None))

    def measure(tasks: Mapping[str, Load], *_: object, **__: object) -> dict[str, Timing]:
        median = next(medians)
        if median is None:
            raise KeyboardInterrupt
        return dict.fromkeys(tasks, Timing(median, median / 2, median * 2, 1, 1))

    monkeypatch.setattr("benchmarks.loading.__main__.measure", measure)
    with pytest.raises(KeyboardInterrupt):
        main(["--count", "4", "--out", str(tmp_path / "loading.json")])
    (row,) = json.loads((tmp_path / "loading.json").read_text())["rows"]
    assert row["pillow"] == row["torchstn"] == 8


@pytest.mark.parametrize("words", [["--rounds", "0"], ["--count", "0"], ["--count", "many"]])
def test_fewer_than_one_is_refused(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*words, "--out", str(tmp_path / "loading.json")])
    assert (
        f"argument {words[0]}: must be a whole number from 1 on; got '{words[1]}'" in capsys.readouterr().err
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--render", "--out", "none.json"], "cannot be read"), (["--out", "."], "it is a folder")],
)
def test_a_mistake_is_explained(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert message in capsys.readouterr().out
