"""What one does with a finished run: evaluate, show, predict."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from torchstn.cli.looking import fixed_pictures, look
from torchstn.recipes.distorted_mnist import load_run

from .conftest import Call


def test_evaluate_finds_the_error_the_training_found(call: Call, run: Path) -> None:
    score = json.loads(call("evaluate", run, "--json").output)
    assert score["error"] == pytest.approx(json.loads((run / "result.json").read_text())["value"])
    assert sum(map(sum, score["confusion"])) == score["count"] == 1000
    assert f"Error: {score['error']:.2f} %" in call("evaluate", run).output


def test_show_draws_the_papers_figure_in_the_run(call: Call, run: Path) -> None:
    done = call("show", run, "--count", 4)
    assert done.exit_code == 0
    for name in ("digits", "means", "curves"):
        with Image.open(run / "figures" / f"{name}.png") as picture:
            assert picture.format == "PNG"
            assert (picture.info.get("Copyright") is not None) == (name != "curves")
        assert f"Saved {run / 'figures' / name}.png" in done.output


def test_show_only_the_wrong_ones(call: Call, run: Path, tmp_path: Path) -> None:
    done = call("show", run, "--wrong", "--count", 2, "--seed", 3, "--out", tmp_path)
    assert done.exit_code == 0
    assert (tmp_path / "digits.png").is_file()


def test_predict_names_what_the_network_says_of_a_saved_test_digit(
    call: Call, run: Path, tmp_path: Path
) -> None:
    config, model = load_run(run)
    pictures, _ = fixed_pictures(config)
    for k in range(3):
        values = (pictures[k, 0] * 255).round().byte().numpy()
        Image.fromarray(values).save(tmp_path / f"{k}.png")
    rows = json.loads(call("predict", run, *sorted(tmp_path.glob("*.png")), "--json").output)
    seen = look(model, (pictures[:3] * 255).round() / 255)
    assert [row["digit"] for row in rows] == seen.predictions
    np.testing.assert_allclose([row["probabilities"] for row in rows], seen.probabilities, atol=1e-5)


def test_predict_goes_on_past_a_broken_file_and_ends_with_1(call: Call, run: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"nothing")
    Image.effect_noise((42, 42), 60).save(tmp_path / "good.png")
    done = call(
        "predict", run, tmp_path / "broken.png", tmp_path / "good.png", "--out", tmp_path / "seen.png"
    )
    assert done.exit_code == 1
    assert f"Error: {tmp_path / 'broken.png'}: not a picture" in done.output
    assert str(tmp_path / "good.png") in done.stdout
    assert (tmp_path / "seen.png").is_file()


@pytest.mark.parametrize("command", ["evaluate", "show", "predict"])
def test_folder_without_a_run_is_named(call: Call, command: str, tmp_path: Path) -> None:
    done = call(command, tmp_path, *(["a.png"] if command == "predict" else []))
    assert done.exit_code == 2
    assert f"`{tmp_path}` holds no run" in done.output


@pytest.mark.parametrize("command", ["evaluate", "show"])
def test_unfinished_run_is_told(call: Call, command: str, run: Path, tmp_path: Path) -> None:
    unfinished = tmp_path / "run"
    shutil.copytree(run, unfinished)
    (unfinished / "model.safetensors").unlink()
    done = call(command, unfinished)
    assert done.exit_code == 2
    assert "has not ended" in done.output


def test_damaged_weights_are_told(call: Call, run: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "run"
    shutil.copytree(run, damaged)
    weights = damaged / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    done = call("evaluate", damaged)
    assert done.exit_code == 2
    assert "model.safetensors" in done.output
    assert "Traceback" not in done.output
