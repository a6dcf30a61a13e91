"""Sampler, the module, is `sample` with its settings."""

import copy
import pickle

import pytest
import torch

import torchstn as stn

IMAGE = torch.randn(2, 3, 5, 6)
GRID = stn.transform.Affine()(torch.tensor([[0.8, -0.5, 0.3, 0.4, 1.2, 0.1]]), (4, 7))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"kernel": "cubic", "padding": "border"},
        {"kernel": "nearest", "padding": "reflection"},
        {"padding": "fill", "fill": 0.5},
        {"padding": "fill", "fill": [0.5, 1.0, 2.0]},
        {"padding": "fill", "fill": torch.tensor([0.5, 1.0, 2.0])},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())) or "default",
)
def test_samples_with_its_settings(settings: dict[str, object]) -> None:
    sampler = stn.Sampler(**settings)
    expected = stn.sample(IMAGE, GRID, **settings)
    assert torch.equal(sampler(IMAGE, GRID), expected)
    assert torch.equal(copy.deepcopy(sampler)(IMAGE, GRID), expected)
    assert torch.equal(pickle.loads(pickle.dumps(sampler))(IMAGE, GRID), expected)


def test_has_nothing_to_learn_or_to_save() -> None:
    sampler = stn.Sampler(padding="fill", fill=torch.ones(3))
    assert not list(sampler.parameters())
    assert not sampler.state_dict()


def test_says_what_it_does() -> None:
    assert repr(stn.Sampler()) == "Sampler('linear', padding='zeros', backend='auto')"
    assert "padding='fill', fill=0.5" in repr(stn.Sampler("cubic", padding="fill", fill=0.5))


def test_takes_raw_points() -> None:
    points = GRID.points()
    assert torch.equal(stn.Sampler()(IMAGE, points), stn.sample(IMAGE, points))
