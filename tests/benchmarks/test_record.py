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
    assert record.load(path, record.new_record())["cases"] == {"points": {"commit": "abc"}}
    assert [each.name for each in path.parent.iterdir()] == ["record.json"]


def test_a_record_of_other_versions_is_not_continued(tmp_path: Path) -> None:
    kept = record.new_record()
    kept["versions"]["torch"] = "1.0"
    kept["cases"]["points"] = {}
    record.save(tmp_path / "record.json", kept)
    assert record.load(tmp_path / "record.json", record.new_record())["cases"] == {}


@pytest.mark.parametrize("content", ["", "[]", '{"cases": {}}', "not json"])
def test_a_file_that_is_no_record_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "record.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="is not a record"):
        record.load(path, record.new_record())
    assert path.read_text() == content


def test_a_record_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.json cannot be read .*measure first"):
        record.read(tmp_path / "none.json")


@pytest.mark.parametrize("place", ["", "file/record.json"])
def test_where_nothing_can_be_written_nothing_is_measured(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="`--out` must name a file that can be written"):
        record.load(tmp_path / place, record.new_record())
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("commit", "short"),
    [("0123456789abcdef", "0123456789"), ("0123456789abcdef+", "0123456789+"), (None, "none")],
)
def test_a_commit_is_shortened_and_keeps_its_plus(commit: str | None, short: str) -> None:
    assert record.short_commit(commit) == short


HERE = "0123456789abcdef"


def _measured(**changes: object) -> record.Json:
    times = _times(ours=0.01, torch=0.08)
    entry = {"title": CASE.title, "commit": HERE, "absent": {"scipy": "none here"}, "failed": {}}
    entry |= {"agreement": {}, "memory": {}, "bandwidth": {"1": 1e10}, "memory_failed": None}
    return entry | {"threads": {"1": {"forward": times, "both": times}}} | changes


@pytest.mark.parametrize(
    ("here", "changes", "without", "whole"),
    [
        (HERE, {}, [], True),
        (HERE, {"absent": {}}, [], False),
        (HERE, {"absent": {}}, ["scipy"], True),
        (HERE, {"absent": {}, "failed": {"scipy": "differs"}}, [], True),
        (HERE, {"title": CASE.shrunk().title}, [], False),
        (HERE, {"commit": "fedcba"}, [], False),
        (f"{HERE}+", {"commit": f"{HERE}+"}, [], False),
        (None, {"commit": None}, [], False),
    ],
)
def test_only_what_is_whole_and_of_this_very_code_is_not_measured_again(
    here: str | None,
    changes: record.Json,
    without: list[str],
    whole: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(record, "commit", lambda _: here)
    case, entry = replace(CASE, peers=("torch", "scipy")), _measured(**changes)
    assert record.is_whole(entry, case, entry["threads"]["1"], without) == whole
    assert not record.is_whole(entry, case, {}, without)


def test_other_numbers_of_threads_are_kept() -> None:
    slow = _times(ours=0.1)
    two = {"2": {"forward": slow, "both": slow}}
    old = _measured(threads=two, bandwidth={"2": 2e10}, failed={"torch": "with 2 threads", "scipy": "both"})
    merged = record.merge(old, _measured())
    assert merged["threads"] == two | _measured()["threads"]
    assert merged["bandwidth"] == {"1": 1e10, "2": 2e10}
    assert set(merged["failed"]) == {"torch", "scipy"}
    assert record.derive(CASE, merged, {})["scaling"]["forward"]["ratio"] == pytest.approx(0.1)


@pytest.mark.parametrize("changes", [{"commit": "fedcba"}, {"commit": None}, {"title": "smaller"}])
def test_of_other_code_or_another_case_nothing_is_kept(changes: record.Json) -> None:
    old = _measured(**changes, failed={"torch": "differs"})
    old["threads"] = {"2": old["threads"]["1"]}
    assert record.merge(old, _measured()) == _measured()
    same = _measured(failed={"torch": "differs"})
    assert record.merge(same, _measured()) == _measured()


def test_a_share_is_of_what_was_copied_beside_the_case() -> None:
    old = record.derive(CASE, _entry(), {"1": 1e10, "2": 1e10})["bandwidth_share"]
    new = record.derive(CASE, _entry() | {"bandwidth": {"1": 2e10}}, {"1": 1e10, "2": 1e10})[
        "bandwidth_share"
    ]
    assert new["1"]["forward"] == pytest.approx(old["1"]["forward"] / 2)
    assert new["2"] == old["2"]


@pytest.mark.parametrize("instructions", ["AVX2", "AVX512"])
def test_the_record_is_named_after_the_processor_and_its_instructions(
    instructions: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: instructions)
    path = record.default_path()
    assert path.parent.name == "results"
    assert f"-{instructions.lower()}-" in path.stem
