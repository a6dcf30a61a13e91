"""Results are read with suspicion and shown beside the paper's."""

import json
from pathlib import Path
from typing import Any

import pytest

from torchstn.figures import details_table, read_results, results_table

RESULT: dict[str, Any] = {
    "recipe": "distorted-mnist",
    "cell": "rts/st-cnn-affine",
    "seed": 0,
    "metric": "test error, per cent",
    "value": 0.62,
    "paper": 0.5,
    "parameters": 130_000,
    "preset": "quick",
    "images_seen": 1_200_000,
    "wall_seconds": 1800.0,
    "machine": "a machine",
    "commit": "0123456789abcdef",
    "data": "mnist",
    "command": "torchstn train distorted-mnist",
}


def _write(folder: Path, **changes: Any) -> None:
    record = RESULT | changes
    path = folder / record["recipe"] / record["preset"] / record["cell"] / f"seed-{record['seed']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))


def test_nothing_is_said_of_the_paper_where_it_has_no_number(tmp_path: Path) -> None:
    _write(tmp_path, paper=None)
    assert "paper" not in results_table(read_results(tmp_path))


def test_rows_and_columns_stand_in_the_papers_order(tmp_path: Path) -> None:
    for cell in ("tc/st-cnn-affine", "rts/st-cnn-affine", "rts/cnn", "r/cnn", "e/fcn"):
        _write(tmp_path, cell=cell)
    lines = results_table(read_results(tmp_path)).splitlines()
    assert lines[2] == "| network | R | RTS | E | TC |"
    assert [line.split("|")[1].strip() for line in lines[4:]] == ["`fcn`", "`cnn`", "`st-cnn-affine`"]


def test_sizes_in_pixels_grow_from_left_to_right(tmp_path: Path) -> None:
    for cell in ("128px/st-cnn-multi", "64px/cnn", "64px/st-cnn-single", "64px/st-cnn-multi"):
        _write(tmp_path, cell=cell)
    lines = results_table(read_results(tmp_path)).splitlines()
    assert lines[2] == "| network | 64 pixels | 128 pixels |"
    rows = [line.split("|")[1].strip() for line in lines[4:]]
    assert rows == ["`cnn`", "`st-cnn-single`", "`st-cnn-multi`"]


def test_cell_has_ours_and_the_papers_number(tmp_path: Path) -> None:
    _write(tmp_path)
    assert "| `st-cnn-affine` | 0.62 (0.5) |" in results_table(read_results(tmp_path))


def test_several_seeds_give_mean_and_standard_deviation(tmp_path: Path) -> None:
    for seed, value in enumerate((0.5, 0.6, 0.85)):
        _write(tmp_path, seed=seed, value=value)
    # The root of (0.15² + 0.05² + 0.2²) / 2, one seed less than there are.
    assert "| 0.65 ± 0.18 (0.5) |" in results_table(read_results(tmp_path))


def test_a_cell_the_paper_lacks_has_no_bracket(tmp_path: Path) -> None:
    _write(tmp_path, paper=None)
    assert "| 0.62 |" in results_table(read_results(tmp_path))


@pytest.mark.parametrize(
    ("metric", "value", "bold"),
    [
        ("test error (%)", 0.4, True),
        ("test error (%)", 0.5, True),
        ("test error (%)", 0.6, False),
        ("boxes with IoU > 0.5 (%)", 0.4, False),
        ("boxes with IoU > 0.5 (%)", 0.6, True),
    ],
)
def test_what_reaches_the_papers_number_is_bold(
    tmp_path: Path, metric: str, value: float, bold: bool
) -> None:
    _write(tmp_path, metric=metric, value=value)
    shown = f"**{value:.2f}** (0.5)" if bold else f"| {value:.2f} (0.5)"
    assert shown in results_table(read_results(tmp_path))


def test_the_papers_number_on_other_data_stands_beside_ours_without_being_compared(tmp_path: Path) -> None:
    _write(tmp_path, cell="224px/cnn", recipe="birds", metric="test accuracy (%)", value=90.0, paper=None)
    table = results_table(read_results(tmp_path), {"birds": {"224px/cnn": 82.3}})
    assert "| `cnn` | 90.00 (82.3) |" in table


def test_a_cell_that_has_not_been_trained_stands_there_with_the_papers_number(tmp_path: Path) -> None:
    _write(tmp_path)
    papers = {"distorted-mnist": {"rts/fcn": 5.2, "e/st-cnn-affine": None, "rts/st-cnn-affine": 0.5}}
    lines = results_table(read_results(tmp_path), papers).splitlines()
    assert lines[2] == "| network | RTS | E |"
    assert lines[4:] == ["| `fcn` | - (5.2) |  |", "| `st-cnn-affine` | 0.62 (0.5) | - |"]


def test_classes_have_a_mean_once_all_have_been_trained(tmp_path: Path) -> None:
    shared = {"recipe": "co-localisation", "metric": "boxes with IoU > 0.5 (%)"}
    for digit, value, paper in ((0, 80, 81), (1, 92, 82)):
        _write(tmp_path, cell=f"tc/digit-{digit}", value=value, paper=paper, **shared)
    assert "| `mean` | **86.00** (81.5) |" in results_table(read_results(tmp_path))
    papers = {"co-localisation": {f"tc/digit-{digit}": 84.5 for digit in range(3)}}
    table = results_table(read_results(tmp_path), papers)
    assert "| class | TC |" in table
    assert "| `mean` | - (82.5) |" in table


def test_a_mean_is_not_compared_where_one_of_its_classes_is_not(tmp_path: Path) -> None:
    shared = {"recipe": "co-localisation", "metric": "boxes with IoU > 0.5 (%)", "value": 99}
    for digit, paper in ((0, 81), (1, None)):
        _write(tmp_path, cell=f"tc/digit-{digit}", paper=paper, **shared)
    papers = {"co-localisation": {f"tc/digit-{digit}": 81.0 for digit in range(2)}}
    assert "| `mean` | 99.00 (81) |" in results_table(read_results(tmp_path), papers)


def test_seeds_that_were_not_computed_alike_are_named(tmp_path: Path) -> None:
    _write(tmp_path, settings={"precision": "bfloat16"})
    _write(tmp_path, seed=1, products="float32", settings={"precision": "auto"})
    assert (
        "alike. Products of `rts/st-cnn-affine`: bfloat16 in seed 0; float32 in seed 1.\n"
        in results_table(read_results(tmp_path))
    )
    _write(tmp_path, products="float32", settings={"precision": "auto"})
    _write(tmp_path, seed=2, settings={"precision": "auto"})
    assert "alike" not in results_table(read_results(tmp_path))


def test_validation_and_test_are_kept_apart(tmp_path: Path) -> None:
    _write(tmp_path)
    _write(tmp_path, seed=1, metric="validation error (%)")
    assert results_table(read_results(tmp_path)).count("| network |") == 2


def test_presets_are_kept_apart(tmp_path: Path) -> None:
    _write(tmp_path, preset="quick")
    _write(tmp_path, preset="paper", seed=1)
    table = results_table(read_results(tmp_path))
    assert table.count("| network |") == 2
    assert "±" not in table
    # Of as many results each, they stand in the order of their names.
    assert table.index("`paper`") < table.index("`quick`")


def test_the_title_tells_the_least_and_the_most_that_a_run_took(tmp_path: Path) -> None:
    _write(tmp_path)
    assert "(1,200,000 images seen, 30 minutes a run)" in results_table(read_results(tmp_path))
    _write(tmp_path, seed=1, images_seen=600_000, wall_seconds=900.0)
    title = "(600,000 to 1,200,000 images seen, 15 to 30 minutes a run)"
    assert title in results_table(read_results(tmp_path))


def test_another_reading_has_a_column_of_its_own_after_its_data(tmp_path: Path) -> None:
    for cell, value in (("r-once/cnn", 2.0), ("r/cnn", 1.0), ("rts/cnn", 3.0)):
        _write(tmp_path, cell=cell, value=value, paper=None)
    lines = results_table(read_results(tmp_path)).splitlines()
    assert lines[2] == "| network | R | R once | RTS |"
    assert lines[4] == "| `cnn` | 1.00 | 2.00 | 3.00 |"


def test_seeds_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for seed in (10, 2, 0):
        _write(tmp_path, seed=seed)
    assert [one.seed for one in read_results(tmp_path)] == [0, 2, 10]


def test_the_preset_with_the_most_results_comes_first_and_whole(tmp_path: Path) -> None:
    for network in ("fcn", "st-cnn-affine"):
        _write(tmp_path, cell=f"rts/{network}")
    _write(tmp_path, preset="full")
    papers = {"distorted-mnist": {f"{data}/{net}": 1.0 for data in ("r", "rts") for net in ("fcn", "cnn")}}
    quick, full = results_table(read_results(tmp_path), papers).split("preset `")[1:]
    assert quick.startswith("quick")
    assert "| network | R | RTS |" in quick
    assert "| `cnn` | - (1.0) | - (1.0) |" in quick
    assert full.splitlines()[2:] == ["| network | RTS |", "| --- | --- |", "| `st-cnn-affine` | 0.62 (0.5) |"]


def test_details_name_commit_and_command(tmp_path: Path) -> None:
    _write(tmp_path)
    assert "| 0 | quick | 0.62 | 0.5 | 130,000 | 1,200,000 |" in details_table(read_results(tmp_path))
    assert "| 30.0 | 0123456789 | `torchstn train distorted-mnist` |" in details_table(read_results(tmp_path))


def test_no_results_are_no_error(tmp_path: Path) -> None:
    assert results_table(read_results(tmp_path / "none")) == "No results yet.\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "must be a JSON object"),
        (json.dumps({k: v for k, v in RESULT.items() if k != "commit"}), "the field 'commit' is missing"),
        (json.dumps(RESULT | {"value": "low"}), "the field 'value' must not be 'low'"),
        (json.dumps(RESULT | {"seed": True}), "the field 'seed' must not be True"),
        (json.dumps(RESULT | {"judged": 0}), "the field 'judged' must not be 0"),
        (json.dumps(RESULT | {"judged": "all"}), "the field 'judged' must not be 'all'"),
    ],
)
def test_a_file_that_is_no_result_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "seed-0.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=message) as refusal:
        read_results(tmp_path)
    assert str(path) in str(refusal.value)
