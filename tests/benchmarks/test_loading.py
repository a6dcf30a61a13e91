"""The loading benchmark runs, and its sides load the same pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.loading.__main__ import main, table
from benchmarks.loading.pictures import KINDS, draw_pictures
from benchmarks.loading.sides import pillow, torchstn_itself


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
    kept = torchstn_itself(tmp_path, names, 64, 3, 2, keep=True)()
    assert torch.equal(kept, ours)


def test_command_writes_a_record_and_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "loading.json"
    monkeypatch.setattr("sys.argv", ["loading", "--count", "4", "--rounds", "1", "--out", str(record)])
    assert main() == 0
    found = json.loads(record.read_text())
    assert {row["pictures"] for row in found["rows"]} == set(KINDS)
    assert all(
        np.isfinite(row[way]) and row[way] > 0 for row in found["rows"] for way in ("pillow", "torchstn")
    )
    assert table(found).count("\n") == 3 + len(found["rows"])
