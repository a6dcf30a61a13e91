"""What is computed from times, and the file it is kept in."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks import record
from benchmarks.bandwidth import bytes_moved, copy_bandwidth
from benchmarks.case import OURS
from benchmarks.cases import select

(CASE,) = select(["affine-photos"])


def _times(**medians: float) -> dict[str, dict[str, float]]:
    return {
        name.replace("ours", OURS): {"median": value, "lower": value, "upper": value, "rounds": 5, "calls": 1}
        for name, value in medians.items()
    }


def _entry() -> record.Json:
    return {
        "threads": {
            "1": {
                "forward": _times(ours=0.01, torch=0.08, kornia=0.005),
                "both": _times(ours=0.1, torch=0.3),
            },
            "2": {"forward": _times(ours=0.005, torch=0.04), "both": _times(ours=0.08, torch=0.2)},
        }
    }


def test_a_ratio_is_the_peers_time_over_ours() -> None:
    ratios = record.derive(CASE, _entry(), {})["ratios"]
    assert ratios["1"]["forward"] == pytest.approx({"torch": 8, "kornia": 0.5})
    assert ratios["2"]["both"] == pytest.approx({"torch": 2.5})


def test_a_target_is_met_or_missed_on_one_thread() -> None:
    targets = record.derive(CASE, _entry(), {})["targets"]
    assert targets["forward"] == {"peer": "torch", "wanted": 7, "reached": pytest.approx(8), "met": True}
    assert targets["both"] == {"peer": "torch", "wanted": 4, "reached": pytest.approx(3), "met": False}


def test_a_target_whose_peer_is_missing_is_neither() -> None:
    entry = {"threads": {"1": {"forward": _times(ours=0.01), "both": _times(ours=0.1)}}}
    assert record.derive(CASE, entry, {})["targets"]["forward"]["met"] is None


def test_two_threads_are_measured_against_one() -> None:
    scaling = record.derive(CASE, _entry(), {})["scaling"]
    assert scaling["forward"] == {"threads": 2, "ratio": 2.0, "wanted": 1.7, "met": True}
    assert scaling["both"]["met"] is False
    alone = record.derive(replace(CASE, scales=False), _entry(), {})["scaling"]
    assert alone["both"]["met"] is None


def test_the_share_of_the_copy_bandwidth_counts_every_byte_once() -> None:
    image = 8 * 3 * 512 * 512 * 4
    assert bytes_moved(CASE, "forward") == 2 * image
    assert bytes_moved(CASE, "both") == 5 * image
    (points,) = select(["points"])
    image, grid = 16 * 3 * 224 * 224 * 4, 16 * 224 * 224 * 2 * 4
    assert bytes_moved(points, "both") == 5 * image + 3 * grid
    share = record.derive(CASE, _entry(), {"1": 1e10})["bandwidth_share"]
    assert share["1"]["forward"] == pytest.approx(2 * 8 * 3 * 512 * 512 * 4 / 0.01 / 1e10)
    assert "2" not in share


def test_a_copy_is_measured() -> None:
    assert 1e8 < copy_bandwidth(1, 3) < 1e13


def test_a_record_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "record.json"
    kept = record.new_record()
    kept["cases"]["points"] = {"commit": "abc"}
    record.save(path, kept)
    assert record.load(path)["cases"] == {"points": {"commit": "abc"}}
    assert [each.name for each in path.parent.iterdir()] == ["record.json"]


def test_a_record_of_other_versions_is_not_continued(tmp_path: Path) -> None:
    kept = record.new_record()
    kept["versions"]["torch"] = "1.0"
    kept["cases"]["points"] = {}
    record.save(tmp_path / "record.json", kept)
    assert record.load(tmp_path / "record.json")["cases"] == {}


@pytest.mark.parametrize("content", ["", "[]", '{"cases": {}}', "not json"])
def test_a_file_that_is_no_record_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "record.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="is not a record"):
        record.load(path)
    assert path.read_text() == content


@pytest.mark.parametrize("instructions", ["AVX2", "AVX512"])
def test_the_record_is_named_after_the_processor_and_its_instructions(
    instructions: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: instructions)
    path = record.default_path()
    assert path.parent.name == "results"
    assert f"-{instructions.lower()}-" in path.stem
