"""Coordinates keep their precision whatever types and switches surround them."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from support.families import EVERY_FAMILY, FAMILIES, Family, random_theta
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from torchstn import sample, transform

SIZE = (5, 7, 6)


@pytest.fixture
def low_matmul_precision() -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_float32_matmul_precision(before)


def coordinates(family: Family, theta: torch.Tensor) -> list[torch.Tensor]:
    """Everything that places points, by each of its ways."""
    size = SIZE[-family.dims :]
    grid = family.make()(theta, size)
    where = torch.linspace(-0.9, 0.9, 4 * family.dims).view(1, 4, family.dims)
    return [
        grid.points(),
        *grid.pixel_coordinates(size),
        grid.at(where),
        (grid @ grid).points(),
        grid.inverse().points(),
        grid.jacobian_determinant(),
    ]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_theta_of_sixteen_bits_is_computed_in_thirty_two(family: Family, dtype: torch.dtype) -> None:
    theta = random_theta(family.make(), 2, dtype=dtype)
    narrow = family.make()(theta, SIZE[-family.dims :])
    wide = family.make()(theta.float(), SIZE[-family.dims :])
    assert narrow.dtype == torch.float32
    assert torch.equal(narrow.points(), wide.points())


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_theta_of_float64_is_computed_in_float64(family: Family) -> None:
    theta = random_theta(family.make(), 2)
    for value in coordinates(family, theta):
        assert value.dtype == torch.float64


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_autocast_changes_no_coordinate(family: Family) -> None:
    """A bfloat16 product of matrices would: shown on the one that a thin plate makes."""
    theta = random_theta(family.make(), 2, dtype=torch.float32)
    expected = coordinates(family, theta)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (torch.eye(4) @ torch.rand(4, 4)).dtype == torch.bfloat16
        found = coordinates(family, theta)
    for actual, wanted in zip(found, expected, strict=True):
        assert torch.equal(actual, wanted)


@pytest.mark.usefixtures("low_matmul_precision")
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_reduced_matmul_precision_changes_no_coordinate(family: Family) -> None:
    """Compared with the same in float64: bits of float32 that were lost would show."""
    theta = random_theta(family.make(), 2, dtype=torch.float32)
    size = SIZE[-family.dims :]
    narrow, wide = family.make()(theta, size), family.make()(theta.double(), size)
    torch.testing.assert_close(narrow.points().double(), wide.points(), rtol=0, atol=5e-7)  # worst seen 2e-7


class Products(TorchDispatchMode):
    """Remembers the types of every matrix product that runs."""

    def __init__(self) -> None:
        super().__init__()
        self.types: set[torch.dtype] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket.__name__ in {"mm", "bmm", "addmm", "baddbmm", "mv", "dot"}:
            self.types.update(arg.dtype for arg in args if isinstance(arg, torch.Tensor))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_every_matrix_product_of_coordinates_is_of_float64(family: Family) -> None:
    """The one type that no switch rounds, on this machine or on one with TF32 or bfloat16 units."""
    instance = family.make()
    theta = random_theta(instance, 2, dtype=torch.float32)
    size = SIZE[-family.dims :]
    with Products() as products:
        grid = instance(theta, size)
        grid.points()
        grid.pixel_coordinates(size)
        grid.at(torch.zeros(1, 2, family.dims))
        (grid @ grid).points()
    expected = {torch.float64} if family.name in ("thin_plate", "free_form", "basis") else set()
    assert products.types == expected


@pytest.mark.parametrize("change", ["half", "bfloat16"])
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_casting_a_module_to_sixteen_bits_leaves_its_constants(family: Family, change: str) -> None:
    start = family.make().identity() + 0.123456789
    instance = family.make(initial=start)
    theta = random_theta(instance, 2, dtype=torch.float32)
    size = SIZE[-family.dims :]
    expected = instance(theta, size).points()
    network = nn.Sequential(nn.Linear(2, 2), instance)
    getattr(network, change)()
    assert network[0].weight.dtype != torch.float32
    assert torch.equal(instance(theta, size).points(), expected)
    assert torch.equal(instance.constrain(torch.zeros_like(theta))[0], start)


def test_casting_to_double_casts_what_is_learned() -> None:
    family = transform.Basis(3, (4, 5)).double()
    assert family.functions.dtype == family.start.dtype == torch.float64


@pytest.mark.parametrize("family", [f for f in FAMILIES if f.dims == 2], ids=lambda family: family.name)
def test_an_image_of_sixteen_bits_is_read_at_exact_places(family: Family) -> None:
    """Half a pixel is lost at 224 pixels where coordinates are bfloat16."""
    theta = random_theta(family.make(), 1, dtype=torch.float32)
    ramp = torch.linspace(0, 1, 224).expand(1, 1, 16, 224).contiguous()
    grid = family.make()(theta, (16, 224))
    exact = sample(ramp.bfloat16().float(), grid)
    assert torch.equal(sample(ramp.bfloat16(), grid), exact.bfloat16())
