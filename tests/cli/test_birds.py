"""The command line on birds: train, evaluate, show, get."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from support.birds import write_archive, write_official
from typer.testing import Result

from torchstn.data import cub_download

WORDS = (
    "train birds --preset demo --pixels 64 --backbone small --classes 3 --iterations 3 --batch 4 --threads 1"
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_official(tmp_path_factory.mktemp("cub"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(autouse=True)
def data_folder(monkeypatch: pytest.MonkeyPatch, store: Path) -> Path:
    """Where photographs are kept once decoded: one folder for all tests."""
    monkeypatch.setenv("TORCHSTN_DATA", str(store))
    return store


@pytest.fixture(scope="module")
def runs(
    call: Callable[..., Result], data: Path, store: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """A badly trained network of each kind."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHSTN_DATA", str(store))
        for model in ("cnn", "2xst-cnn", "4xst-cnn"):
            words = (*WORDS.split(), "--model", model, "--data-dir", data, "--out", folder / model)
            done = call(*words, "--results", folder / "results")
            assert done.exit_code == 0, done.output
    return {model: folder / model for model in ("cnn", "2xst-cnn", "4xst-cnn", "results")}


def test_the_result_is_kept_where_the_tables_look_for_it(runs: dict[str, Path]) -> None:
    path = runs["results"] / "birds" / "demo" / "64px" / "2xst-cnn" / "seed-0.json"
    record = json.loads(path.read_text())
    assert record["metric"] == "test accuracy (%)"
    assert record["paper"] is None
    assert record["data"].startswith("cub-200-2011, 3 classes, 12 to train, 6 to test")
    assert "--pixels 64 --model 2xst-cnn" in record["command"]
    assert "--classes 3" in record["command"]


def test_evaluate_tells_what_of_heads_and_bodies_each_transformer_has(
    call: Callable[..., Result], runs: dict[str, Path]
) -> None:
    told = call("evaluate", runs["4xst-cnn"])
    assert told.exit_code == 0, told.output
    assert "Visible parts of birds inside the box" in told.output
    assert told.output.count("moving") == 4 * 2
    assert "Red Wren" in told.output
    judged = json.loads(call("evaluate", runs["2xst-cnn"], "--json").output)
    assert [set(kinds) for kinds in judged["parts"]] == [{"head", "body"}] * 2
    assert "parts" not in json.loads(call("evaluate", runs["cnn"], "--json").output)


@pytest.mark.parametrize("model", ["cnn", "2xst-cnn", "4xst-cnn"])
def test_show_draws_every_box_in_its_colour(
    model: str, call: Callable[..., Result], runs: dict[str, Path], tmp_path: Path
) -> None:
    done = call("show", runs[model], "--count", 3, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    with Image.open(tmp_path / "birds.png") as picture:
        assert "CUB-200-2011" in picture.text["Copyright"]
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}
    boxes = [(255, 176, 0), (86, 180, 233), (204, 121, 167), (0, 158, 115)]
    count = {"cnn": 0, "2xst-cnn": 2, "4xst-cnn": 4}[model]
    assert [colour in colours for colour in boxes] == [k < count for k in range(4)]


def test_a_film_shows_the_boxes_as_they_move(call: Callable[..., Result], data: Path, tmp_path: Path) -> None:
    words = (*WORDS.split(), "--model", "2xst-cnn", "--data-dir", data, "--out", tmp_path / "run")
    done = call(*words, "--film")
    assert done.exit_code == 0, done.output
    with Image.open(tmp_path / "run" / "figures" / "film.gif") as film:
        assert film.n_frames == 2  # the start, and after the one epoch


def test_a_run_is_compared_with_another(
    call: Callable[..., Result], runs: dict[str, Path], tmp_path: Path
) -> None:
    refused = call("show", runs["2xst-cnn"], "--against", runs["2xst-cnn"], "--out", tmp_path)
    assert refused.exit_code != 0
    assert "the other network errs on none that this one reads rightly" in refused.output


def test_a_folder_without_birds_is_refused_in_a_sentence(
    call: Callable[..., Result], runs: dict[str, Path], tmp_path: Path
) -> None:
    for words in (("evaluate", runs["cnn"]), (*WORDS.split(), "--out", tmp_path / "run")):
        refused = call(*words, "--data-dir", tmp_path)
        assert refused.exit_code != 0
        assert "`torchstn data get cub` downloads it" in refused.output
        assert "Traceback" not in refused.output
    assert not (tmp_path / "run").exists()


def test_get_unpacks_the_archive(
    call: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cub").mkdir()
    archive = write_archive(tmp_path / "cub" / "CUB_200_2011.tgz", tmp_path / "made")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    monkeypatch.setitem(cub_download.download_cub.__kwdefaults__, "size", archive.stat().st_size)
    monkeypatch.setitem(cub_download.download_cub.__kwdefaults__, "sha256", digest)
    done = call("data", "get", "cub", "--data-dir", tmp_path / "cub")
    assert done.exit_code == 0, done.output
    assert f"use it with --data-dir {tmp_path / 'cub'}" in done.output
    assert (tmp_path / "cub" / "CUB_200_2011" / "CUB_200_2011" / "images.txt").is_file()


def test_the_plan_names_the_cells_of_the_papers_table(
    call: Callable[..., Result], data: Path, tmp_path: Path
) -> None:
    told = call("reproduce", "birds", "--plan", "--data-dir", data, "--results", tmp_path, "--runs", tmp_path)
    assert told.exit_code == 0, told.output
    for cell in ("224px/cnn", "224px/2xst-cnn", "224px/4xst-cnn", "448px/2xst-cnn", "448px/4xst-cnn"):
        assert cell in told.output
