"""Digits in space through the command line: train, evaluate, show."""

import json
from pathlib import Path

import pytest
from PIL import Image

from .conftest import Call

WORDS = "train volumes --preset demo --iterations 1 --batch 2 --threads 1 --validation 30"


@pytest.fixture(scope="module")
def run_of(call: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a transformer, hardly trained."""
    folder = tmp_path_factory.mktemp("volumes") / "st"
    assert call(*WORDS.split(), "--out", folder).exit_code == 0
    return folder


def test_evaluate_says_how_digits_are_seen(call: Call, run_of: Path) -> None:
    score = json.loads(call("evaluate", run_of, "--json").output)
    assert score["count"] == 30
    assert set(score["view"]) == {"untransformed", "transformed"}
    printed = call("evaluate", run_of).output
    for word in ("How digits are seen", "tilt (degrees)", "Variance explained", "Error:"):
        assert word in printed


def test_show_draws_volumes_and_the_means_of_projections(call: Call, run_of: Path, tmp_path: Path) -> None:
    done = call("show", run_of, "--count", 2, "--out", tmp_path)
    assert done.exit_code == 0
    for name in ("volumes", "means"):
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.info.get("Copyright") is not None
    assert not (tmp_path / "boxes.png").exists()


def test_a_network_without_transformer_is_drawn_too(call: Call, run_of: Path, tmp_path: Path) -> None:
    assert call(*WORDS.split(), "--model", "projection", "--out", tmp_path / "run").exit_code == 0
    assert call("show", tmp_path / "run", "--count", 1, "--out", tmp_path).exit_code == 0
    assert "transformed" not in json.loads(call("evaluate", tmp_path / "run", "--json").output)["view"]


def test_predict_says_that_it_reads_pictures_only(call: Call, run_of: Path, tmp_path: Path) -> None:
    Image.new("L", (28, 28)).save(tmp_path / "digit.png")
    done = call("predict", run_of, tmp_path / "digit.png")
    assert done.exit_code == 2
    assert "does not read picture files" in done.output
