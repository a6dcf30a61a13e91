"""`torchstn train images`, `predict` and `apply` on a folder as users have them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.picture_folders import draw_folder

from torchstn.training import Metrics

from .conftest import Call

TINY = ("--preset", "scratch", "--size", 32, "--batch", 6, "--epochs", 2, "--threads", 1, "--workers", 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = draw_folder(tmp_path_factory.mktemp("own") / "meine Bilder", 6)
    (folder / "rot" / "notes & <tags>.txt").write_text("no picture")
    (folder / "grün" / "cut.jpg").write_bytes((folder / "grün" / "01.jpg").read_bytes()[:500])
    (folder / "leer").mkdir()
    return folder


@pytest.fixture(scope="module")
def run(call: Call, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "run"
    done = call(
        "train", "images", folder, *TINY, "--transformers", 2, "--transform", "attention", "--out", run
    )
    assert done.exit_code == 0, done.output
    for words in (
        "cut.jpg: the picture is broken",
        "notes & <tags>.txt: not a picture",
        "the class leer: there is no image in it",
        "15 images to train on, 3 to judge by, of 3 classes: blau, grün, rot",
        "small/2xattention",
        f"Saved {run / 'report.html'}",
    ):
        assert words in done.output
    return run


def test_report_is_one_file_with_everything_in_it(run: Path) -> None:
    page = (run / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "notes &amp; &lt;tags&gt;.txt" in page
    assert "<tags>" not in page
    data = json.loads(re.search(r"const data = (\{.*\});", page)[1])  # type: ignore[index]
    assert data["steps"] == [0, 2, 4]
    assert len(data["samples"]) == 3
    for sample in data["samples"]:
        assert [len(moment) for moment in sample["outlines"]] == [2, 2, 2]
        left, right = (np.array(view) for view in sample["outlines"][0])
        # At the start the two share the picture: one its left half, one its right.
        assert (left[:, 0].max(), right[:, 0].min()) == (16, 16)
    assert page.count("<polygon") >= 6
    for title in ("How the training went", "Worst mistakes", "What is taken for what", "Files left out"):
        assert title in page


def test_show_writes_the_report_anew(call: Call, folder: Path, run: Path, tmp_path: Path) -> None:
    assert call("show", run, "--out", tmp_path).exit_code == 0
    assert (tmp_path / "report.html").read_bytes() == (run / "report.html").read_bytes()
    assert "without such choices" in call("show", run, "--wrong").output
    moved = shutil.copytree(folder, tmp_path / "elsewhere")
    shutil.rmtree(moved / "rot")
    done = call("show", run, "--data-dir", moved)
    assert done.exit_code == 2
    assert "the run tells blau, grün, rot apart, the data is of blau, grün" in done.output


def test_evaluate_counts_what_is_taken_for_what(call: Call, run: Path) -> None:
    done = call("evaluate", run)
    assert done.exit_code == 0
    assert "grün" in done.output
    assert "of 3)" in done.output


def test_resumed_training_ends_as_if_it_had_never_stopped(
    call: Call, folder: Path, run: Path, tmp_path: Path
) -> None:
    words = (
        "train",
        "images",
        folder,
        *TINY,
        "--transformers",
        2,
        "--transform",
        "attention",
        "--out",
        tmp_path,
    )
    shutil.copytree(run, tmp_path, dirs_exist_ok=True)
    for name in ("result.json", "model.safetensors", "report.html"):
        (tmp_path / name).unlink()
    last = sorted((tmp_path / "checkpoints").iterdir())[-1]
    last.unlink()
    assert "already holds a run" in call(*words).output
    done = call(*words, "--resume")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()
    assert (tmp_path / "looks.jsonl").read_bytes() == (run / "looks.jsonl").read_bytes()
    other = call(*words, "--resume", "--learning-rate", 1)
    assert other.exit_code == 2
    assert "cannot be resumed with other settings" in other.output


def test_predict_names_folders_and_files_and_says_where_it_looks(call: Call, folder: Path, run: Path) -> None:
    done = call("predict", run, folder / "rot", folder / "blau" / "00.png", "--json", "--boxes")
    assert done.exit_code == 1, done.output  # one of them is a text
    rows = json.loads(done.stdout)
    assert [Path(row["file"]).name for row in rows] == [
        *(f"{k:02d}.{e}" for k, e in enumerate(("png", "jpg", "webp", "bmp", "gif", "png"))),
        "notes & <tags>.txt",
        "00.png",
    ]
    assert [row["file"] for row in rows if "error" in row] == [str(folder / "rot" / "notes & <tags>.txt")]
    for row in (row for row in rows if "error" not in row):
        assert row["class"] in ("blau", "grün", "rot")
        assert row["probability"] == max(row["probabilities"].values())
        w, h = row["size"]["width"], row["size"]["height"]
        for view in row["views"]:
            x0, y0, x1, y1 = view["box"]
            assert 0 <= x0 < x1 <= w
            assert 0 <= y0 < y1 <= h
    table = call("predict", run, folder / "blau" / "00.png")
    assert table.exit_code == 0
    assert "looks at" not in table.output
    assert "looks at" in call("predict", run, folder / "blau" / "00.png", "--boxes").output


def test_apply_writes_crops_and_where_they_were(call: Call, folder: Path, run: Path, tmp_path: Path) -> None:
    done = call("apply", run, folder, tmp_path / "crops", "--size", 40)
    assert done.exit_code == 1, done.output  # two files are no images
    assert "crops of 18 images" in done.output
    rows = json.loads((tmp_path / "crops" / "crops.json").read_text(encoding="utf-8"))
    assert len(rows) == 20
    for row in rows:
        for number, view in enumerate(row.get("views", ()), 1):
            assert view["crop"] == f"{row['file']}-{number}.png"
            with Image.open(tmp_path / "crops" / view["crop"]) as crop:
                assert crop.size == (40, 40)
    files = [path for path in (tmp_path / "crops").rglob("*") if path.is_file()]
    assert len(files) == 37
    before = {path: path.read_bytes() for path in files}
    assert call("apply", run, folder, tmp_path / "crops", "--size", 40).exit_code == 1
    assert before == {path: path.read_bytes() for path in (tmp_path / "crops").rglob("*") if path.is_file()}


def test_broken_off_work_goes_on_where_it_was(
    call: Call, folder: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchstn.cli import images_predicting as predicting

    real, seen = predicting.row_of, list[str]()

    def failing(answer: object, *rest: object, **named: object) -> object:
        seen.append(answer.file)  # type: ignore[attr-defined]
        if len(seen) == 5:
            raise KeyboardInterrupt
        return real(answer, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(predicting, "row_of", failing)
    words = ("predict", run, folder, "--save", tmp_path / "found.json")
    assert call(*words).exit_code == 130
    assert not (tmp_path / "found.json").exists()
    assert call(*words).exit_code == 1
    assert len(seen) == 5 + 20 - 4
    rows = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    monkeypatch.undo()
    whole = call("predict", run, folder, "--json")
    assert rows == json.loads(whole.stdout)
    assert [path.name for path in tmp_path.iterdir()] == ["found.json"]


@pytest.mark.slow
def test_two_processes_share_the_work(folder: Path, run: Path, tmp_path: Path, call: Call) -> None:
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    words += ["-m", "torchstn", "predict", run, folder, "--boxes", "--save", tmp_path / "found.json"]
    environment = os.environ | {"ACCELERATE_USE_CPU": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        list(map(str, words)), env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert "18 images, 2 that cannot be read" in done.stdout, done.stderr
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    alone = json.loads(call("predict", run, folder, "--boxes", "--json").stdout)
    assert [row["file"] for row in found] == [row["file"] for row in alone]
    assert [row.get("class") for row in found] == [row.get("class") for row in alone]
    for row, other in zip(found, alone, strict=True):
        # Batches of other sizes are summed in another order.
        assert row.get("probability", 0) == pytest.approx(other.get("probability", 0), abs=1e-5)
        for view, same in zip(row.get("views", ()), other.get("views", ()), strict=True):
            np.testing.assert_allclose(view["corners"], same["corners"], atol=0.11)
    assert [path.name for path in tmp_path.iterdir()] == ["found.json"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--transform", "shear"), "it must be one of affine, attention"),
        (("--at", "block9"), "There is no layer 'block9' in small; some that there are: block1"),
        (("--backbone", "resnet50"), "`backbone` must be one of small, efficientnet-lite0, timm:NAME"),
        (("--labels", "nothing.csv"), "nothing.csv: there is no such file"),
        (("--size", 8), "`size` must be at least 32"),
        (("--preset", "quick"), "it must be one of finetune, scratch"),
        (("--validation", 100), "`validation` must leave images to train on"),
    ],
)
def test_wrong_choices_end_in_a_sentence_and_no_run(
    words: tuple[object, ...], message: str, call: Call, folder: Path, tmp_path: Path
) -> None:
    done = call("train", "images", folder, *TINY, *words, "--out", tmp_path / "run")
    assert done.exit_code == 2
    assert message in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "run").exists()


def test_wrong_folders_end_in_a_sentence(call: Call, folder: Path, run: Path, tmp_path: Path) -> None:
    assert "this is not a folder" in call("train", "images", tmp_path / "nothing").output
    assert "subfolder for each class" in call("train", "images", folder / "rot").output
    assert "there is no file in" in call("predict", run, folder / "leer").output
    assert "OUT must lie outside FOLDER" in call("apply", run, folder, folder / "crops").output
    assert "this is not a folder" in call("apply", run, tmp_path / "nothing", tmp_path / "out").output
    assert "holds no run" in call("predict", folder, folder).output
    assert (
        "--invert, --whole and --out are for runs on digits" in call("predict", run, folder, "--whole").output
    )
    assert call("apply", run, folder / "blau", tmp_path / "crops").exit_code == 0
    broken = call("predict", run, folder / "rot" / "notes & <tags>.txt")
    assert broken.exit_code == 1
    assert "not a picture" in broken.output


def test_run_without_transformer_has_nothing_to_apply(call: Call, folder: Path, tmp_path: Path) -> None:
    done = call(
        "train", "images", folder, *TINY, "--transform", "none", "--epochs", 1, "--out", tmp_path / "run"
    )
    assert done.exit_code == 0, done.output
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "The network has no transformer" in page
    done = call("apply", tmp_path / "run", folder, tmp_path / "out")
    assert done.exit_code == 2
    assert "there is nothing to crop" in done.output
    assert not (tmp_path / "out").exists()
    assert Metrics(tmp_path / "run" / "looks.jsonl").read()[0]["outlines"][0] == []
