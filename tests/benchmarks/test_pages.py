"""Tables and chart show what was measured, losses among it."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

from benchmarks import record, table
from benchmarks.case import OURS
from benchmarks.chart import draw
from benchmarks.loading.__main__ import table as loading_table


def _time(median: float) -> dict[str, float]:
    return {"median": median, "lower": 0.9 * median, "upper": 1.1 * median, "rounds": 5, "calls": 1}


def _record(torch: float, kornia: float) -> record.Json:
    found = record.new_record()
    found["bandwidth"] = {"1": 2e10}
    times = {OURS: _time(0.01), "torch": _time(torch), "kornia": _time(kornia)}
    found["cases"]["affine-photos"] = {
        "measured": "2026-01-02T03:04:05",
        "commit": "0123456789abcdef",
        "backend": "native",
        "why": None,
        "absent": {"scipy": "No module named 'scipy'"},
        "failed": {},
        "agreement": {},
        "threads": {"1": {"forward": times, "both": times}},
        "memory": {OURS: {"forward": 1234, "both": 5678}, "torch": {"forward": 16_000_000, "both": 0}},
    }
    return found


def _section(text: str, title: str) -> str:
    return text.split(f"### {title}\n")[1].split("###", maxsplit=1)[0]


def test_a_loss_is_shown() -> None:
    losses = _section(table.tables(_record(0.08, 0.005)), "Where a peer is faster")
    assert "| affine 8x3x512x512 | kornia | forward | 1 | 2.00 times as fast as torchstn |" in losses
    assert "| torch |" not in losses


def test_no_loss_is_said_too() -> None:
    assert "Nowhere" in _section(table.tables(_record(0.08, 0.05)), "Where a peer is faster")


def test_a_missed_target_is_named() -> None:
    targets = _section(table.tables(_record(0.05, 0.05)), "Targets, one thread")
    assert "| affine 8x3x512x512 | torch | 5.0x, missed | 7x | **5.0x** | 4x |" in targets


def test_times_have_their_spread_and_ratios() -> None:
    times = _section(table.tables(_record(0.08, 0.005)), "Forward, one thread")
    assert "**10** ± 10% | 80 (8.0x) | 5 (0.50x) |" in times


def test_memory_beyond_the_limit_is_named() -> None:
    found = _record(0.08, 0.005)
    assert "0.00 MB | 0.01 MB | 16.00 MB | 0.00 MB |" in table.tables(found)
    found["cases"]["affine-photos"]["memory"][OURS]["both"] = 2_000_000
    assert "2.00 MB, missed" in table.tables(found)


def test_a_commit_keeps_its_plus() -> None:
    found = _record(0.08, 0.005)
    assert "Commit 0123456789; " in table.tables(found)
    found["cases"]["affine-photos"]["commit"] += "+"
    assert "Commit 0123456789+; " in table.tables(found)


def test_copies_are_those_measured_beside_the_cases() -> None:
    found = _record(0.08, 0.005)
    assert "Copies: 20.0 GB/s with one thread. " in table.tables(found)
    found["cases"]["points"] = deepcopy(found["cases"]["affine-photos"]) | {"bandwidth": {"1": 3e10}}
    assert "Copies: 20.0 to 30.0 GB/s with one thread. " in table.tables(found)


def test_who_did_not_take_part_is_named_with_the_reason() -> None:
    found = _record(0.08, 0.005)
    found["cases"]["affine-photos"]["failed"]["MONAI"] = "differs"
    found["cases"]["affine-photos"] |= {"backend": "reference", "why": "no compiler"}
    text = table.tables(found)
    assert "scipy takes no part in affine-photos: No module named 'scipy'" in text
    assert "MONAI failed the check and was not timed in affine-photos: differs" in text
    assert "reference backend in affine-photos (no compiler)" in text


def test_only_what_stands_between_the_markers_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- benchmarks:begin -->\nold\n<!-- benchmarks:end -->\nafter\n")
    table.write_between_markers(page, "new\n")
    assert page.read_text() == "before\n<!-- benchmarks:begin -->\n\nnew\n\n<!-- benchmarks:end -->\nafter\n"
    page.write_text("nothing")
    with pytest.raises(ValueError, match="must hold"):
        table.write_between_markers(page, "new")


LOADING, MAIN = "loading-*.json", "[!glt]*.json"  # named after a machine alone: not gpu, loading, training


@pytest.mark.parametrize(
    ("page", "name", "records", "render"),
    [
        ("docs/benchmarks.md", "benchmarks", MAIN, table.tables),
        ("README.md", "benchmarks", MAIN, table.summary),
        ("docs/own_images.md", "loading", LOADING, loading_table),
    ],
)
def test_pages_show_what_a_record_says(
    page: str, name: str, records: str, render: Callable[[record.Json], str], tmp_path: Path
) -> None:
    text = (record.ROOT / page).read_text()
    copy = tmp_path / "page.md"
    rendered = []
    for path in record.RESULTS.glob(records):
        copy.write_text(text)
        table.write_between_markers(copy, render(json.loads(path.read_text())), name)
        rendered.append(copy.read_text())
    assert text in rendered


def test_the_readme_counts_the_targets_reached() -> None:
    text = table.summary(_record(0.05, 0.05))
    assert "5.0x to 5.0x against PyTorch; 1 of 2 speeds aimed at are reached." in text
    assert "docs/images/speed.png" in text


def test_the_chart_is_drawn_the_same_each_time(tmp_path: Path) -> None:
    found = _record(0.08, 0.005)
    first = [path.read_bytes() for path in draw(found, tmp_path)]
    second = [path.read_bytes() for path in draw(found, tmp_path)]
    assert first == second
    assert first[0].startswith(b"\x89PNG")
    assert b"<svg" in first[1]


def test_without_measurements_there_is_no_chart(tmp_path: Path) -> None:
    assert draw(record.new_record(), tmp_path) == []
    assert "No measurements" in table.tables(record.new_record())
