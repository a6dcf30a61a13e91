"""What a spatial transformer holds, saves and becomes: its weights, and nothing of a pass through it."""

import copy
import gc
import io
import pickle
import weakref
from typing import Any

import pytest
import torch
from support.closeness import assert_close
from support.families import IN_2D, Family
from support.transformers import transformer
from torch import Tensor, nn

import torchstn as stn
from torchstn.grid import Grid

LINEAR = ("localisation.layers.1.weight", "localisation.layers.1.bias", "head.weight", "head.bias")


def reachable(root: Any) -> list[Any]:
    """Every object that the module refers to, directly or not, outside its classes and functions."""
    seen: dict[int, Any] = {}
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type) or (callable(one) and not isinstance(one, nn.Module)):
            continue
        seen[id(one)] = one
        waiting += gc.get_referents(one)
    return list(seen.values())


# One family of each kind of grid.
@pytest.mark.parametrize("name", ["affine", "thin_plate", "displacement"])
def test_keeps_nothing_of_a_pass(name: str) -> None:
    module = transformer(name)
    x = torch.rand(3, 1, 8, 9)
    module(x)  # lattice constants are made once
    attributes = [set(vars(part)) for part in module.modules()]
    objects = len(reachable(module))
    output, grid = module(x, return_grid=True)
    assert [set(vars(part)) for part in module.modules()] == attributes
    assert len(reachable(module)) == objects
    assert not any(isinstance(one, Grid) for one in reachable(module))
    watched = [weakref.ref(output), weakref.ref(grid), weakref.ref(grid.theta), weakref.ref(x)]
    del output, grid, x
    gc.collect()
    assert [reference() for reference in watched] == [None] * 4


def test_the_search_for_what_is_kept_finds_it() -> None:
    module = transformer()
    before = len(reachable(module))
    module.last_grid = module(torch.rand(1, 1, 8, 9), return_grid=True)[1]
    assert len(reachable(module)) > before
    assert any(isinstance(one, Grid) for one in reachable(module))


@pytest.mark.parametrize("family", IN_2D)
def test_copies_and_pickles(family: Family) -> None:
    module, x = transformer(family.make()), torch.rand(2, 1, 8, 9)
    module(x)
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(twin(x), module(x))
        with torch.no_grad():
            twin.head.bias += 0.2
        assert not torch.equal(twin(x), module(x))


def test_a_transformer_in_training_copies() -> None:
    module, x = transformer("thin_plate"), torch.rand(2, 1, 8, 9)
    loss = module(x).sum()
    twin = copy.deepcopy(module)
    loss.backward()
    assert twin.head.weight.grad is None
    twin(x).sum().backward()
    assert torch.equal(twin.head.weight.grad, module.head.weight.grad)


@pytest.mark.parametrize("family", IN_2D)
def test_state_is_the_weights_alone(family: Family) -> None:
    module = transformer(family.make())
    extra = ("transform.functions",) if family.name == "basis" else ()
    assert set(module.state_dict()) == {*LINEAR, *extra}
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    twin = transformer(family.make())
    twin.load_state_dict(torch.load(file, weights_only=True), strict=True)
    x = torch.rand(2, 1, 8, 9)
    assert torch.equal(twin(x), module(x))


@pytest.mark.parametrize("learned", [True, False])
def test_a_basis_is_saved_whether_learned_or_not(learned: bool) -> None:
    one, other = (transformer(stn.transform.Basis(torch.rand(3, 4, 5), learned=learned)) for _ in range(2))
    other.load_state_dict(one.state_dict())
    x = torch.rand(2, 1, 8, 9)
    assert torch.equal(one(x), other(x))


@pytest.mark.parametrize("family", IN_2D)
def test_training_and_evaluation_are_the_same(family: Family) -> None:
    module, x = transformer(family.make()), torch.rand(2, 1, 8, 9)
    assert torch.equal(module.train()(x), module.eval()(x))
    with torch.inference_mode():
        inferred = module(x)
    assert torch.equal(inferred, module(x))


def test_what_inference_remembers_is_fit_for_training() -> None:
    seen = (13, 17)  # of no other test, so that nothing is remembered yet
    module = transformer("thin_plate", seen, sampler=stn.Sampler("bspline3")).double()
    x = torch.rand(2, 1, *seen, dtype=torch.float64)
    with torch.inference_mode():
        module(x)
    module(x).sum().backward()


@pytest.mark.parametrize("family", IN_2D)
def test_double_is_double_throughout(family: Family) -> None:
    module = transformer(family.make())
    double = copy.deepcopy(module).double()
    x = torch.rand(2, 1, 8, 9)
    output, grid = double(x.double(), return_grid=True)
    assert output.dtype == grid.dtype == grid.theta.dtype == torch.float64
    assert {parameter.dtype for parameter in double.parameters()} == {torch.float64}
    assert_close(output.float(), module(x), tolerance=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("family", IN_2D)
def test_a_rounded_model_still_reads_at_float32_points(family: Family, dtype: torch.dtype) -> None:
    module = transformer(family.make())
    rounded = copy.deepcopy(module).to(dtype)
    x = torch.rand(2, 1, 8, 9).to(dtype)
    output, grid = rounded(x, return_grid=True)
    assert output.dtype == dtype
    assert grid.dtype == grid.theta.dtype == torch.float32
    # The same features give the same points, bit for bit, as before the model was rounded.
    features = rounded.localisation(x)
    theta = module.transform.constrain(module.head(features.float()))
    assert torch.equal(grid.theta, theta)
    assert torch.equal(grid.points(), module.transform(theta, (8, 9)).points())
    assert_close(
        output.float(), stn.sample(x.float(), grid), tolerance=4e-3 if dtype is torch.bfloat16 else 1e-3
    )


def test_the_identity_survives_rounding() -> None:
    for dtype in (torch.bfloat16, torch.float16):
        module = transformer("affine", stir=0.0).to(dtype)
        x = torch.rand(2, 1, 8, 9).to(dtype)
        assert torch.equal(module(x), x)


class Given(nn.Module):
    """A localisation network whose features are given: what autocast does to networks is its own affair."""

    out_features = 5

    def forward(self, features: Tensor) -> Tensor:
        return features


@pytest.mark.parametrize("family", IN_2D)
def test_autocast_moves_no_point(family: Family) -> None:
    module = stn.SpatialTransformer(Given(), family.make())
    nn.init.normal_(module.head.weight, std=0.1)
    features, image = torch.randn(3, 5), torch.rand(3, 1, 8, 9)
    output, grid = module(features, image=image, return_grid=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast_output, cast_grid = module(features, image=image, return_grid=True)
        cast_points = cast_grid.points()
    assert torch.equal(cast_grid.theta, grid.theta)
    assert torch.equal(cast_points, grid.points())
    assert torch.equal(cast_output, output)


def test_trains_under_autocast() -> None:
    module = transformer("thin_plate")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        module(torch.rand(2, 1, 8, 9)).square().sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in module.parameters())
    assert all(parameter.grad.abs().max() > 0 for parameter in module.parameters())


@pytest.mark.parametrize(("dims", "layout"), [(2, torch.channels_last), (3, torch.channels_last_3d)])
def test_channels_last_in_channels_last_out(dims: int, layout: torch.memory_format) -> None:
    size = (8, 9, 7)[:dims]
    module, x = transformer("affine", size, channels=3), torch.rand(2, 3, *size)
    output = module(x.contiguous(memory_format=layout))
    assert output.is_contiguous(memory_format=layout)
    assert not output.is_contiguous()
    assert_close(output, module(x), tolerance=1e-6)
    assert module(x).is_contiguous()
    module.to(memory_format=layout)(x).sum().backward()
