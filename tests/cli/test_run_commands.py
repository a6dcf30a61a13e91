"""What one does with a finished run: evaluate, show, predict."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from torchstn.cli import drawings
from torchstn.cli.choosing import Wanted, pick
from torchstn.cli.looking import Survey, gather, look, survey
from torchstn.recipes.finished import load_run, load_samples

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


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((), Wanted(10, "even", None)),
        (("--wrong", "--count", 2, "--seed", 3), Wanted(2, "wrong", 3)),
        (("--far",), Wanted(10, "far", None)),
    ],
)
def test_show_draws_the_samples_that_were_asked_for(
    call: Call,
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[object, ...],
    wanted: Wanted,
) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr("torchstn.cli.pictures.draw_run", lambda *_, **how: seen.append(how) or [])
    assert call("show", run, *words, "--out", tmp_path, "--data-dir", tmp_path).exit_code == 0
    assert seen == [{"wanted": wanted, "against": None, "data_dir": tmp_path}]


class Drawn(NamedTuple):
    """What the paper's figure was drawn of."""

    images: Tensor
    predictions: Sequence[int]
    labels: Sequence[int]
    above: Sequence[str] | None


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Drawn]:
    seen: list[Drawn] = []
    draw = drawings.paper_figure

    def watched(images: Tensor, grids: Any, outputs: Any, predictions: Any, labels: Any, **how: Any) -> Any:
        seen.append(Drawn(images, predictions, labels, how["above"]))
        return draw(images, grids, outputs, predictions, labels, **how)

    monkeypatch.setattr(drawings, "paper_figure", watched)
    return seen


def said(run: Path, images: Tensor) -> list[int]:
    with torch.no_grad():
        return load_run(run).model(images).argmax(1).tolist()


def test_show_only_the_wrong_ones(call: Call, run: Path, tmp_path: Path, drawn: list[Drawn]) -> None:
    done = call("show", run, "--wrong", "--count", 2, "--seed", 3, "--out", tmp_path)
    assert done.exit_code == 0
    assert (tmp_path / "digits.png").is_file()
    (seen,) = drawn
    _, config, model = load_run(run)
    samples = load_samples(config)
    places = pick(survey(model, samples.held_out()), Wanted(2, "wrong", 3))
    assert torch.equal(seen.images, gather(samples.held_out(), places)[0])
    assert said(run, seen.images) == list(seen.predictions)
    assert all(read != label for read, label in zip(seen.predictions, seen.labels, strict=True))


def test_predict_turns_ink_and_crops_only_where_told(call: Call, run: Path, tmp_path: Path) -> None:
    ink = np.zeros((60, 90), dtype=np.uint8)
    ink[10:50, 40:46] = 255
    for name, pixels in (("white", ink), ("black", 255 - ink)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")

    def said(name: str, *words: str) -> str:
        return call("predict", run, tmp_path / f"{name}.png", "--json", *words).output.replace(name, "")

    assert said("white") == said("black") == said("black", "--invert") != said("black", "--no-invert")
    assert said("white", "--whole") != said("white")


def test_predict_names_what_the_network_says_of_a_saved_test_digit(
    call: Call, run: Path, tmp_path: Path
) -> None:
    _, config, model = load_run(run)
    pictures, _ = gather(load_samples(config).held_out(), torch.arange(3))
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


def _survey() -> Survey:
    """Digits sorted by class; of each three the second is read wrongly and moved furthest, then the third."""
    labels = torch.arange(10).repeat_interleave(3)
    predictions = labels.clone()
    predictions[1::3] = (labels[1::3] + 1) % 10
    return Survey(labels, predictions, torch.tensor([0.0, 2.0, 1.0]).repeat(10))


def test_even_takes_one_of_each_class_of_a_sorted_set() -> None:
    seen = _survey()
    assert seen.labels[pick(seen, Wanted())].tolist() == list(range(10))


def test_wrong_takes_only_what_is_taken_for_another() -> None:
    assert pick(_survey(), Wanted(40, "wrong")).tolist() == list(range(1, 30, 3))


def test_far_takes_of_each_class_the_right_one_that_is_moved_furthest() -> None:
    assert pick(_survey(), Wanted(10, "far")).tolist() == list(range(2, 30, 3))


def test_against_takes_what_this_network_reads_rightly_and_the_other_does_not() -> None:
    seen = _survey()
    other = seen.labels.clone()
    other[:6] = 9  # of these the second and the fifth are read wrongly by both
    missed = Survey(seen.labels, other, None)
    assert pick(seen, Wanted(40), missed).tolist() == [0, 2, 3, 5]
    with pytest.raises(ValueError, match="the other network errs on none"):
        pick(seen, Wanted(40), seen)


def test_seed_picks_others_and_the_same_ones_again() -> None:
    first, again, other = (pick(_survey(), Wanted(5, seed=seed)).tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_choice_that_leaves_nothing_is_told(call: Call, run: Path) -> None:
    labels = torch.arange(3)
    with pytest.raises(ValueError, match="it takes nothing for another"):
        pick(Survey(labels, labels, None), Wanted(3, "wrong"))
    with pytest.raises(ValueError, match="leave out --far, or take --wrong"):
        pick(Survey(labels, labels, None), Wanted(3, "far"))
    for words in (["--wrong", "--far"], ["--far", "--against", run]):
        done = call("show", run, *words)
        assert done.exit_code == 2
        assert "--wrong, --far and --against exclude each other" in done.output


def test_show_against_draws_what_the_other_run_misses_and_what_it_takes_it_for(
    call: Call, run: Path, tmp_path: Path, drawn: list[Drawn]
) -> None:
    other = tmp_path / "cnn"
    words = "train distorted-mnist --model cnn --preset demo --iterations 3 --batch 16 --threads 1 --out"
    assert call(*words.split(), other).exit_code == 0
    done = call("show", run, "--against", other, "--count", 3, "--out", tmp_path)
    assert done.exit_code == 0
    assert (tmp_path / "digits.png").is_file()
    (seen,) = drawn
    missed = said(other, seen.images)
    assert len(missed) == 3
    assert said(run, seen.images) == list(seen.predictions) == list(seen.labels)
    assert all(read != label for read, label in zip(missed, seen.labels, strict=True))
    assert seen.above == [f"cnn: {read}" for read in missed]


def test_show_against_a_run_on_other_digits_is_refused(call: Call, run: Path, tmp_path: Path) -> None:
    other = tmp_path / "r"
    words = "train distorted-mnist --distortion R --model fcn --preset demo --iterations 1 --batch 16 --out"
    assert call(*words.split(), other).exit_code == 0
    done = call("show", run, "--against", other)
    assert done.exit_code == 2
    assert "the two runs were judged by different samples" in done.output


def test_survey_agrees_with_look(run: Path) -> None:
    _, config, model = load_run(run)
    pictures, labels = gather(load_samples(config).held_out(), torch.arange(7))
    seen = survey(model, zip(pictures.split(3), labels.split(3), strict=True))
    few = look(model, pictures)
    assert seen.predictions.tolist() == few.predictions
    assert torch.equal(seen.labels, labels)
    identity = torch.tensor([1.0, 0, 0, 0, 1, 0])
    torch.testing.assert_close(seen.moved, (few.grids[0].theta - identity).norm(dim=1))
    assert seen.moved is not None


def test_gather_finds_samples_across_batches_in_the_order_asked_for() -> None:
    images, labels = torch.rand(10, 1, 2, 2), torch.arange(10)
    batches = list(zip(images.split(4), labels.split(4), strict=True))
    places = torch.tensor([9, 0, 4])
    found, classes = gather(batches, places)
    assert torch.equal(found, images[places])
    assert classes.tolist() == places.tolist()
