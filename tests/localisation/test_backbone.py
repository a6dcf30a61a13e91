"""Any network as a localisation network."""

import pytest
import torch
from support.closeness import assert_close
from torch import nn

import torchstn as stn
from torchstn.localisation import Backbone, Localisation


@pytest.mark.parametrize("size", [(7,), (5, 6), (3, 4, 5)], ids=["1d", "2d", "3d"])
def test_averages_maps_over_space(size: tuple[int, ...]) -> None:
    maps = torch.randn(2, 3, *size, dtype=torch.float64)
    features = Backbone(nn.Identity(), 3)(maps)
    pool = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)[len(size) - 1]
    assert_close(features, pool(1)(maps).reshape(2, 3), tolerance=1e-15)


def test_takes_vectors_as_they_are() -> None:
    vectors = torch.randn(2, 3)
    assert torch.equal(Backbone(nn.Identity(), 3)(vectors), vectors)


def test_trains_with_the_transformer() -> None:
    network = nn.Conv2d(1, 4, 3)
    module = stn.SpatialTransformer(Backbone(network, 4), stn.transform.Affine())
    nn.init.normal_(module.head.weight)
    module(torch.rand(2, 1, 9, 11)).sum().backward()
    assert network.weight.grad.abs().max() > 0


def test_a_network_of_the_users_own_needs_only_to_say_its_features() -> None:
    class Own(nn.Sequential):
        out_features = 6

    own = Own(nn.Flatten(), nn.Linear(20, 6))
    x = torch.rand(2, 1, 4, 5)
    assert torch.equal(stn.SpatialTransformer(own, stn.transform.Affine())(x), x)


def test_refuses_what_it_cannot_pool() -> None:
    with pytest.raises(TypeError, match=r"`network` must be a torch.nn.Module, got function"):
        Backbone(lambda x: x, 3)
    with pytest.raises(ValueError, match=r"`out_features` must be positive, got 0"):
        Localisation(0)
    with pytest.raises(ValueError, match=r"`network` must return \(n, 4\).*`out_features`.*\(2, 3\)"):
        Backbone(nn.Identity(), 4)(torch.rand(2, 3, 5, 5))
    with pytest.raises(TypeError, match=r"`network` must return a tensor.*got tuple.*wrap"):
        Backbone(nn.LSTM(3, 4), 4)(torch.rand(2, 5, 3))
    with pytest.raises(ValueError, match=r"got \(4,\)"):
        Backbone(nn.Flatten(0), 4)(torch.rand(4))
