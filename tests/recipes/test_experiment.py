"""A whole training, small: run folder, result record, evaluation, resuming, refusals."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from torchstn.recipes import begun
from torchstn.recipes.distorted_mnist import Config, make_config
from torchstn.recipes.distorted_mnist.data import DistortedDigits
from torchstn.recipes.finished import evaluate, load_run
from torchstn.recipes.record import result_path
from torchstn.recipes.supervised import train
from torchstn.training import Run

Finished = tuple[Path, dict[str, Any]]


def small(**overrides: Any) -> Config:
    settings = {
        "iterations": 6,
        "batch": 16,
        "parameters": 30_000,
        "validation": 3800,
        "threads": 1,
        "device": "cpu",
    }
    return make_config("R", "st-cnn", preset="demo", **(settings | overrides))


class StoppedError(Exception):
    pass


def begin(config: Config, folder: Path) -> None:
    """Trains for an epoch and is stopped at the end of the second."""

    def stop(record: Any, *_: Any) -> None:
        if record["epoch"] == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(config, folder, progress=False, listener=stop)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("runs") / "r"
    return folder, train(small(), folder, progress=False)


def test_the_record_holds_what_a_result_needs(finished: Finished) -> None:
    _, record = finished
    texts = ("recipe", "cell", "metric", "preset", "machine", "data", "command", "products")
    numbers = ("value", "wall_seconds")
    kinds = dict.fromkeys(texts, str) | dict.fromkeys(numbers, float)
    kinds |= dict.fromkeys(("seed", "parameters", "images_seen", "judged"), int)
    assert {name: type(record[name]) for name in kinds} == kinds
    assert set(record) == {*kinds, "paper", "commit", "settings", "measured"}
    assert record["settings"]["optimiser"] == small().optimiser
    assert json.loads(json.dumps(record["settings"])) == record["settings"]
    assert record["images_seen"] == 6 * 16
    assert record["metric"] == "validation error (%)"
    assert 0 <= record["value"] <= 100
    assert result_path(Path("results"), small()) == Path(
        "results/distorted-mnist/demo/r/st-cnn-affine/seed-0.json"
    )


def test_the_finished_run_evaluates_to_its_record(finished: Finished) -> None:
    folder, record = finished
    judged = evaluate(folder)
    assert judged["error"] == pytest.approx(record["value"], abs=1e-4)
    assert judged["count"] == record["judged"] == 3800
    assert {name: judged[name] for name in record["measured"]} == record["measured"]
    assert len(record["measured"]["straight_after"]) == 1
    confusion = torch.tensor(judged["confusion"])
    assert confusion.shape == (10, 10)
    assert confusion.sum(1).tolist() == [380] * 10
    assert 100 * (1 - int(confusion.trace()) / 3800) == pytest.approx(judged["error"])


def test_the_loaded_model_is_the_average_of_the_last_checkpoint(
    finished: Finished,
) -> None:
    folder, _ = finished
    _, config, model = load_run(folder)
    assert config == small()
    assert not model.training
    checkpoint = Run(folder).latest_checkpoint()
    assert checkpoint is not None
    for name, value in model.state_dict().items():
        assert torch.equal(value, checkpoint.tensors["average"][name]), name
    assert not torch.equal(checkpoint.tensors["model"]["classifier.0.weight"], model.classifier[0].weight)


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_resuming_from_half_way_ends_bit_for_bit_the_same(tmp_path: Path, optimiser: str) -> None:
    config = small(iterations=30, optimiser=optimiser)
    train(config, tmp_path / "whole", progress=False)
    begin(config, tmp_path / "halves")
    stopped = Run(tmp_path / "halves").latest_checkpoint()
    assert stopped is not None
    assert 0 < stopped.step < 30
    train(config, tmp_path / "halves", resume=True, progress=False)
    one, two = (Run(tmp_path / name).load_weights() for name in ("whole", "halves"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_finished_run_gives_its_result_again(finished: Finished) -> None:
    folder, record = finished
    assert train(small(), folder, resume=True, progress=False) == record


def test_a_folder_with_a_run_is_not_overwritten(finished: Finished) -> None:
    folder, _ = finished
    with pytest.raises(ValueError, match="already holds a run; resume it, or choose another folder"):
        train(small(), folder, progress=False)


def test_a_run_is_not_resumed_with_other_settings(finished: Finished) -> None:
    folder, _ = finished
    with pytest.raises(ValueError, match=r"learning_rate was 0.*, now 0.5"):
        train(small(learning_rate=0.5), folder, resume=True, progress=False)


def test_a_run_is_not_resumed_on_other_data(tmp_path: Path) -> None:
    config = small(iterations=30)
    begin(config, tmp_path)
    logged = Run(tmp_path).metrics.path.read_bytes()
    digits = DistortedDigits.load(config)
    with pytest.raises(
        ValueError, match=r"on other data: it was mnist-5000.*; now it is others\. Give it the"
    ):
        train(config, tmp_path, resume=True, progress=False, samples=replace(digits, origin="others"))
    assert Run(tmp_path).metrics.path.read_bytes() == logged


def test_a_resumed_run_names_the_commit_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small(iterations=30)
    monkeypatch.setattr(begun, "commit", lambda: "first")
    begin(config, tmp_path)
    monkeypatch.setattr(begun, "commit", lambda: "second")
    assert train(config, tmp_path, resume=True, progress=False)["commit"] == "first"


def test_a_run_that_has_not_kept_its_beginning_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of earlier versions have not."""
    config = small(iterations=30)
    begin(config, tmp_path)
    (tmp_path / "beginning.json").unlink()
    monkeypatch.setattr(begun, "commit", lambda: "second")
    record = train(config, tmp_path, resume=True, progress=False)
    assert (record["commit"], record["images_seen"]) == ("second", 30 * 16)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no run"):
        load_run(tmp_path)


def test_an_unfinished_run_is_refused(finished: Finished, tmp_path: Path) -> None:
    folder, _ = finished
    (tmp_path / "config.toml").write_bytes((folder / "config.toml").read_bytes())
    with pytest.raises(ValueError, match="training has not ended"):
        load_run(tmp_path)


def test_weights_of_another_model_are_refused(finished: Finished, tmp_path: Path) -> None:
    folder, _ = finished
    text = (folder / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(text.replace("parameters = 30000", "parameters = 40000"))
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(ValueError, match="do not fit its config"):
        load_run(tmp_path)
