"""The film of a training: a moment an epoch, the same whether it was interrupted or not."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import nn

from torchstn.cli import film as film_module
from torchstn.cli.choosing import pick_evenly
from torchstn.cli.film import Film
from torchstn.cli.looking import gather, look
from torchstn.recipes.finished import load_run, load_samples
from torchstn.recipes.mnist_addition import Config
from torchstn.recipes.supervised import train
from torchstn.training import Checkpoint, Run

from .conftest import Call

TINY = "--preset demo --iterations 2 --batch 8 --validation 20 --threads 1 --film"


class StoppedError(Exception):
    pass


def _config() -> Config:
    few = {"iterations": 6, "batch": 16, "validation": 3968, "threads": 1, "learning_rate": 0.005}
    return Config.make("demo", transform="projective", **few)


def _train(folder: Path, stop_after: int | None = None, resume: bool = False) -> Film:
    """Three epochs of two steps each."""
    film = Film(_config(), folder, count=3)

    def listener(record: Mapping[str, Any], model: nn.Module) -> None:
        film.take(record, model)
        if record["epoch"] == stop_after:
            raise StoppedError

    train(_config(), folder, resume=resume, progress=False, listener=listener)
    return film


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Film]:
    folder = tmp_path_factory.mktemp("film") / "whole"
    return folder, _train(folder)


def _frames(path: Path) -> int:
    with Image.open(path) as film:
        return film.n_frames


def test_every_epoch_is_a_frame_and_so_is_the_start(filmed: tuple[Path, Film], tmp_path: Path) -> None:
    folder, film = filmed
    assert _frames(film.save(tmp_path / "film.gif")) == 4
    steps = [json.loads(line)["step"] for line in (folder / "film.jsonl").read_text().splitlines()]
    assert steps == [2, 4, 6]


def test_an_interrupted_film_goes_on_and_ends_the_same(filmed: tuple[Path, Film], tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        _train(tmp_path / "halves", stop_after=2)
    film = _train(tmp_path / "halves", resume=True)
    whole = filmed[1].save(tmp_path / "whole.gif")
    assert film.save(tmp_path / "halves.gif").read_bytes() == whole.read_bytes()


def test_stopped_as_soon_as_a_checkpoint_has_its_name_it_lacks_no_moment(
    filmed: tuple[Path, Film], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Run.save_checkpoint

    def stop(run: Run, checkpoint: Checkpoint) -> None:
        save(run, checkpoint)
        if checkpoint.step == 4:
            raise StoppedError

    monkeypatch.setattr(Run, "save_checkpoint", stop)
    with pytest.raises(StoppedError):
        _train(tmp_path / "halves")
    monkeypatch.undo()
    _train(tmp_path / "halves", resume=True)
    kept = [folder / "film.jsonl" for folder in (filmed[0], tmp_path / "halves")]
    assert kept[1].read_bytes() == kept[0].read_bytes()


def test_what_is_kept_of_a_moment_gives_back_what_was_seen(filmed: tuple[Path, Film]) -> None:
    folder, film = filmed
    _, config, model = load_run(folder)
    seen = look(model, gather(load_samples(config).held_out(), pick_evenly(3968, 3))[0])
    last = film._seen(json.loads((folder / "film.jsonl").read_text().splitlines()[-1]))
    assert last.predictions == seen.predictions
    assert not torch.equal(last.grids[0].theta, last.grids[1].theta)
    assert seen.outputs is not None
    torch.testing.assert_close(last.outputs, seen.outputs, atol=1e-6, rtol=0)


def test_a_long_film_is_thinned_but_ends_with_the_end(
    filmed: tuple[Path, Film], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film_module, "_LONGEST", 2)
    assert [step for step, _ in filmed[1]._frames()] == [0, 4, 6]


@pytest.mark.parametrize("recipe", ["distorted-mnist", "mnist-addition", "volumes"])
def test_the_option_draws_it_in_the_run(call: Call, recipe: str, tmp_path: Path) -> None:
    done = call("train", recipe, *TINY.split(), "--out", tmp_path / "run")
    assert done.exit_code == 0
    assert f"Saved {tmp_path / 'run/figures/film.gif'}" in done.output
    assert _frames(tmp_path / "run/figures/film.gif") == 2


def test_a_model_without_a_transformer_is_refused_before_it_trains(call: Call, tmp_path: Path) -> None:
    done = call("train", "mnist-addition", *TINY.split(), "--model", "fcn", "--out", tmp_path / "run")
    assert done.exit_code == 2
    assert "rts/fcn has no transformer that could be filmed" in done.output
    assert not (tmp_path / "run").exists()
