"""House numbers through the command line: train, resume, evaluate, show, plan."""

import json
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from support.house_numbers import write_data

from torchstn import sample
from torchstn.cli import house_numbers
from torchstn.cli.choosing import Wanted
from torchstn.recipes.finished import load_run, load_samples
from torchstn.training import Run
from torchstn.transform import Affine

from .conftest import Call

WORDS = "train svhn --preset demo --width 0.05 --iterations 4 --batch 8 --threads 1 --checkpoint-seconds 0"


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where crops are kept, for the fixtures below too."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHSTN_DATA", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def data_folder(monkeypatch: pytest.MonkeyPatch, store: Path) -> Path:
    """In place of the one that hides the user's data."""
    monkeypatch.setenv("TORCHSTN_DATA", str(store))
    return store


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("svhn"))


@pytest.fixture(scope="module")
def run(call: Call, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "multi"
    done = call(*WORDS.split(), "--data-dir", data, "--out", folder, "--results", folder.parent / "results")
    assert done.exit_code == 0, done.output
    return folder


def test_a_training_ends_in_a_result_beside_the_papers(run: Path) -> None:
    place = run.parent / "results" / "svhn" / "demo" / "64px" / "st-cnn-multi" / "seed-0.json"
    record = json.loads(place.read_text())
    assert (record["metric"], record["paper"]) == ("test sequence error (%)", 3.6)
    assert record["command"].startswith("torchstn train svhn --pixels 64 --model st-cnn-multi --preset demo")
    assert "--data-dir DATA" in record["command"]
    assert Run(run).classes == (*"0123456789", "none")


def test_evaluate_tells_errors_by_length(call: Call, run: Path) -> None:
    judged = json.loads(call("evaluate", run, "--json").stdout)
    assert judged["error"] == pytest.approx(json.loads((run / "result.json").read_text())["value"], abs=1e-4)
    assert set(judged["by_length"]) == {"1", "2", "3", "4", "5"}
    told = call("evaluate", run).output
    assert "By the count of digits" in told
    assert "none" in told


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ([], Wanted(3)),
        (["--seed", 2], Wanted(3, seed=2)),
        (["--wrong"], Wanted(3, "wrong")),
    ],
)
def test_show_draws_the_product_of_all_transformers_on_what_was_asked_for(
    call: Call,
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[object],
    wanted: Wanted,
) -> None:
    places, asked, drawn = torch.tensor([7, 2, 5]), list[Wanted](), list[tuple[Any, ...]]()
    draw = house_numbers.paper_figure
    monkeypatch.setattr(house_numbers, "pick", lambda seen, wanted, other: asked.append(wanted) or places)
    monkeypatch.setattr(
        house_numbers, "paper_figure", lambda *of, **how: drawn.append(of) or draw(*of, **how)
    )
    done = call("show", run, "--count", 3, "--out", tmp_path, *options)
    assert done.exit_code == 0, done.output
    assert asked == [wanted]
    assert {path.stem for path in tmp_path.iterdir()} == {"numbers", "boxes", "curves"}
    with Image.open(tmp_path / "numbers.png") as picture:
        assert "Netzer" in picture.info["Copyright"]

    ((pictures, product, output, read, truth),) = drawn
    _, config, model = load_run(run)
    samples = load_samples(config)
    assert torch.equal(pictures, samples.pictures(places))
    logits, grids = model.look(samples.inputs(places))
    labels = torch.cat([labels for _, labels in samples.held_out()])[places]
    for written, codes in ((truth, labels), (read, logits.argmax(-1))):
        words = ["".join("." if k == 10 else str(k) for k in row).rstrip(".") for row in codes.tolist()]
        assert written == [word or "nothing" for word in words]
    below = torch.tensor([0.0, 0, 1]).expand(3, 1, 3)
    matrices = [torch.cat([grid.theta.view(3, 2, 3), below], 1) for grid in grids]
    expected = Affine()(reduce(torch.matmul, matrices)[:, :2].flatten(1), (64, 64))
    torch.testing.assert_close(product.points(), expected.points())
    torch.testing.assert_close(output, sample(pictures, expected))


def test_show_against_a_run_on_other_crops_is_refused(
    call: Call, run: Path, data: Path, tmp_path: Path
) -> None:
    other = [
        *WORDS.split(),
        "--model",
        "cnn",
        "--validation",
        5,
        "--data-dir",
        data,
        "--out",
        tmp_path / "cnn",
    ]
    assert call(*other).exit_code == 0
    done = call("show", run, "--against", tmp_path / "cnn")
    assert done.exit_code == 2
    assert "the two runs were judged by different samples" in done.output
    assert call("show", tmp_path / "cnn", "--out", tmp_path / "pictures").exit_code == 0
    assert not (tmp_path / "pictures" / "boxes.png").exists()


def test_resuming_ends_bit_for_bit_the_same(call: Call, run: Path, data: Path, tmp_path: Path) -> None:
    words = [*WORDS.split(), "--data-dir", data, "--out", tmp_path / "again"]
    assert call(*words).exit_code == 0
    again = tmp_path / "again"
    for name in ("result.json", "model.safetensors", "checkpoints/step-00000004.safetensors"):
        (again / name).unlink()
    assert Run(again).latest_step == 3
    assert call(*words, "--resume").exit_code == 0
    assert (again / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()


def test_a_folder_without_photographs_is_refused_and_the_way_out_named(call: Call, tmp_path: Path) -> None:
    done = call(*WORDS.split(), "--data-dir", tmp_path, "--out", tmp_path / "run")
    assert done.exit_code == 2
    assert "must hold the photographs of train" in done.output
    assert "torchstn data get svhn" in done.output
    assert not (tmp_path / "run").exists()


def test_a_film_of_house_numbers_is_refused_before_anything_is_trained(
    call: Call, data: Path, tmp_path: Path
) -> None:
    done = call(*WORDS.split(), "--film", "--data-dir", data, "--out", tmp_path / "run")
    assert done.exit_code == 2
    assert "no film of svhn" in done.output


def test_reproduce_plans_the_papers_table_without_the_data(call: Call, tmp_path: Path) -> None:
    done = call("reproduce", "svhn", "--plan", "--results", tmp_path, "--runs", tmp_path)
    assert done.exit_code == 0, done.output
    for pixels in ("64px", "128px"):
        for model in ("cnn", "st-cnn-single", "st-cnn-multi"):
            assert f"{pixels}/{model}" in done.output
    refused = call("reproduce", "svhn", "--results", tmp_path, "--runs", tmp_path)
    assert refused.exit_code == 2
    assert "torchstn data get svhn" in refused.output


def test_predict_reads_what_show_and_evaluate_see(call: Call, run: Path, tmp_path: Path) -> None:
    _, config, model = load_run(run)
    samples = load_samples(config)
    crops = (samples.pictures(torch.arange(3)) * 255).round().byte()
    for k, picture in enumerate(crops):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(tmp_path / f"{k}.png")
    done = call("predict", run, *sorted(tmp_path.glob("?.png")), "--json")
    rows = json.loads(done.stdout)
    with torch.no_grad():
        probabilities = model(samples.inputs(torch.arange(3))).softmax(-1)
    for row, sure, digits in zip(
        rows, probabilities.amax(-1), probabilities.argmax(-1).tolist(), strict=True
    ):
        assert row["probability"] == pytest.approx(float(sure.prod()), abs=1e-5)
        assert row["number"] == "".join("." if k == 10 else str(k) for k in digits).rstrip(".") or "nothing"


def test_predict_goes_on_past_a_broken_file_draws_and_ends_with_1(
    call: Call, run: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"nothing")
    Image.effect_noise((120, 50), 60).save(tmp_path / "good.png")
    done = call(
        "predict", run, tmp_path / "broken.png", tmp_path / "good.png", "--out", tmp_path / "seen.png"
    )
    assert done.exit_code == 1
    assert "broken.png" in done.output
    assert "good.png" in done.output
    assert (tmp_path / "seen.png").is_file()
    assert "for runs on digits" in call("predict", run, tmp_path / "good.png", "--invert").output
