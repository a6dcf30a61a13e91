"""What the transformer does is in every epoch's record, changes nothing, and its trouble is told once."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import torchstn as stn
from torchstn.recipes.distorted_mnist import make_config
from torchstn.recipes.supervised import train
from torchstn.recipes.watch import Watch
from torchstn.training import Run

NAMES = ("transformer/coverage", "transformer/scale", "transformer/gradient_share")


class Reader(nn.Module):
    """A transformer whose head says a theta of our choice, and a weight behind it."""

    def __init__(self, theta: list[float]) -> None:
        super().__init__()
        self.transformer = stn.SpatialTransformer(
            localisation=stn.localisation.FullyConnected(1, (8, 8), (4,)),
            transform=stn.transform.Affine(),
            align_corners=True,
        )
        with torch.no_grad():
            self.transformer.head.bias += torch.tensor(theta) - self.transformer.transform.start
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, images: Tensor) -> Tensor:
        return self.weight * self.transformer(images)


def observe(watch: Watch, theta: list[float], *, alive: bool = True) -> dict[str, float]:
    model = Reader(theta)
    if not alive:
        nn.init.constant_(model.transformer.localisation.layers[-2].bias, -100.0)
    with watch(model) as report:
        (model(torch.rand(3, 1, 8, 8)) ** 2).sum().backward()
        return dict(report())


def settings(model: str, **more: Any) -> Any:
    few = {"iterations": 28, "batch": 16, "parameters": 30_000, "validation": 3800, "threads": 1}
    return make_config("R", model, preset="demo", device="cpu", **(few | more))


def test_numbers_are_those_of_a_transformer_whose_theta_is_known() -> None:
    seen = observe(Watch(), [0.5, 0, 0, 0, 0.5, 0])
    assert seen["transformer/coverage"] == 1
    assert seen["transformer/scale"] == pytest.approx(0.5)
    assert 0 < seen["transformer/gradient_share"] < 1
    assert 0 < seen["transformer/active"] <= 1
    # At scale 1, shifted by half the image's width, half of the columns read outside.
    assert observe(Watch(), [1, 0, 1, 0, 1, 0])["transformer/coverage"] == pytest.approx(0.5, abs=0.01)


def test_each_kind_of_trouble_is_told_once() -> None:
    watch = Watch()
    outside, unreadable = [1.0, 0, 1.5, 0, 1, 0], [float("nan"), 0, 0, 0, 1, 0]
    with pytest.warns(stn.TransformerWarning, match="read inside the image") as caught:
        observe(watch, outside)
    assert len(caught) == 1
    with pytest.warns(stn.TransformerWarning, match="not finite") as caught:
        observe(watch, unreadable)
    assert len(caught) == 1
    with pytest.warns(stn.TransformerWarning, match="the same of every image") as caught:
        observe(watch, [1.0, 0, 0, 0, 1, 0], alive=False)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        observe(watch, outside, alive=False)
        assert observe(watch, outside)["transformer/coverage"] < 0.5
        observe(watch, unreadable)
        observe(Watch(warn=False), outside)


def test_every_epoch_says_what_the_transformer_did(tmp_path: Path) -> None:
    train(settings("st-cnn"), tmp_path, progress=False)
    records = Run(tmp_path).metrics.read()
    assert [record["step"] for record in records] == [12, 24, 28]
    for record in records:
        assert 0.5 < record["transformer/coverage"] <= 1
        assert 0.5 < record["transformer/scale"] < 2
        assert 0 < record["transformer/gradient_share"] < 1
    assert len({record["transformer/gradient_share"] for record in records}) == 3


def test_a_model_without_a_transformer_logs_nothing_of_it(tmp_path: Path) -> None:
    train(settings("fcn", iterations=3), tmp_path, progress=False)
    assert not [name for record in Run(tmp_path).metrics.read() for name in record if "transformer" in name]


def test_watching_leaves_the_training_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(settings("st-cnn"), tmp_path / "watched", progress=False)
    monkeypatch.setattr("torchstn.recipes.supervised.Watch", lambda warn: None)
    train(settings("st-cnn"), tmp_path / "alone", progress=False)
    one, two = (Run(tmp_path / name).load_weights() for name in ("watched", "alone"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not set(NAMES) & set(Run(tmp_path / "alone").metrics.read()[0])
