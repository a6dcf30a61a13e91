"""Several transformers that see the same input."""

import pytest
import torch
from support.closeness import assert_close
from support.transformers import family, stir_heads, transformer
from torch import Tensor, nn

import torchstn as stn


class Counting(stn.localisation.FullyConnected):
    """A localisation network that counts its passes."""

    passes = 0

    def forward(self, image: Tensor) -> Tensor:
        self.passes += 1
        return super().forward(image)


def shared(names: tuple[str, ...] = ("affine", "thin_plate", "translation")) -> stn.Parallel:
    localisation = Counting(2, (8, 9), (8,))
    module = stn.Parallel([stn.SpatialTransformer(localisation, family(name)) for name in names])
    stir_heads(module)
    return module


def test_concatenates_what_each_gives() -> None:
    module = stn.Parallel([transformer("affine", channels=2), transformer("rigid", channels=2)])
    x = torch.rand(3, 2, 8, 9)
    output, grids = module(x, return_grid=True)
    first, second = (one(x, return_grid=True) for one in module.transformers)
    assert output.shape == (3, 4, 8, 9)
    assert torch.equal(output[:, :2], first[0])
    assert torch.equal(output[:, 2:], second[0])
    assert isinstance(grids, tuple)
    assert torch.equal(grids[0].theta, first[1].theta)
    assert torch.equal(grids[1].points(), second[1].points())
    assert not torch.equal(grids[0].points(), grids[1].points())
    assert torch.equal(module(x), output)


def test_shared_features_are_computed_once() -> None:
    module = shared()
    localisation = module.transformers[0].localisation
    x = torch.rand(3, 2, 8, 9)
    output = module(x)
    assert localisation.passes == 1
    assert torch.equal(output, torch.cat([one(x) for one in module.transformers], 1))
    assert localisation.passes == 4


def test_a_shared_network_gets_the_gradient_of_every_part() -> None:
    module = shared().double()
    localisation = module.transformers[0].localisation
    x = torch.rand(3, 2, 8, 9, dtype=torch.float64)
    parameters = list(localisation.parameters())
    together = torch.autograd.grad(module(x).square().sum(), parameters)
    parts = [torch.autograd.grad(one(x).square().sum(), parameters) for one in module.transformers]
    for found, *each in zip(together, *parts, strict=True):
        assert_close(found, sum(each), tolerance=1e-12)


def test_shared_parameters_are_counted_once() -> None:
    module = shared(("affine", "affine"))
    hidden = 2 * 8 * 9 * 8 + 8
    assert sum(parameter.numel() for parameter in module.parameters()) == hidden + 2 * (8 * 6 + 6)


def test_warps_another_image() -> None:
    module = shared()
    x, image = torch.rand(3, 2, 8, 9), torch.rand(3, 5, 6, 7)
    output, grids = module(x, image, return_grid=True)
    assert output.shape == (3, 15, 6, 7)
    for part, grid in zip(output.split(5, 1), grids, strict=True):
        assert torch.equal(part, stn.sample(image, grid))


def test_parts_may_be_smaller_than_the_image() -> None:
    parts = [transformer(family("attention", scale=0.5), size=(4, 5)) for _ in range(2)]
    assert stn.Parallel(parts)(torch.rand(3, 1, 8, 9)).shape == (3, 2, 4, 5)


def test_keeps_nothing_of_a_pass() -> None:
    module = shared()
    before = [set(vars(part)) for part in module.modules()]
    module(torch.rand(3, 2, 8, 9))
    assert [set(vars(part)) for part in module.modules()] == [
        names | ({"passes"} if isinstance(part, Counting) else set())
        for names, part in zip(before, module.modules(), strict=True)
    ]


def test_refuses_what_is_no_transformer() -> None:
    with pytest.raises(
        ValueError, match="`transformers` must hold at least one SpatialTransformer, got none"
    ):
        stn.Parallel([])
    with pytest.raises(TypeError, match="`transformers` must be SpatialTransformers, got Linear"):
        stn.Parallel([transformer(), nn.Linear(1, 1)])
    unequal = stn.Parallel([transformer(size=(4, 5)), transformer(size=(5, 4))])
    with pytest.raises(ValueError, match=r"one size.*\(4, 5\) and \(5, 4\).*`size`"):
        unequal(torch.rand(1, 1, 8, 9))
