"""Displacement fields and the paper's T = M B against torch's interpolation and NumPy."""

import numpy as np
import pytest
import torch
from support.closeness import assert_close
from support.families import EVERY_CONVENTION
from torch import Tensor
from torch.nn import functional as F

from torchstn import transform

FIELD = {1: (5,), 2: (4, 6), 3: (3, 4, 5)}
OUT = {1: (9,), 2: (7, 3), 3: (4, 5, 3)}


def interpolated(values: Tensor, points: Tensor, align_corners: bool) -> Tensor:
    """Channels `values` (n, c, *field) at points (n, m, d) by torch, constant beyond the edge, (n, m, c)."""
    dims = points.shape[-1]
    if dims == 1:  # torch has none in 1-D: a row of one pixel's height, read in its middle
        values, points = values.unsqueeze(2), torch.cat([points, torch.zeros_like(points)], -1)
    view = points.view(points.shape[0], *([1] * (max(dims, 2) - 1)), -1, points.shape[-1])
    read = F.grid_sample(values, view, padding_mode="border", align_corners=align_corners)
    return read.flatten(2).transpose(1, 2)


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_displacement_is_read_linearly(dims: int, align_corners: bool) -> None:
    field, size = FIELD[dims], OUT[dims]
    family = transform.Displacement(field)
    theta = torch.randn(2, family.n_parameters, dtype=torch.float64)
    values = theta.view(2, *field, dims).movedim(-1, 1)
    grid = family(theta, size, align_corners=align_corners)
    identity = family(torch.zeros_like(theta), size, align_corners=align_corners).points().flatten(1, -2)
    expected = interpolated(values, identity, align_corners).view(2, *size, dims)
    assert_close(grid.displacement(), expected)

    own = family(theta, field, align_corners=align_corners)
    assert torch.equal(own.displacement(), values.movedim(1, -1))
    anywhere = 1.5 * torch.randn(2, 20, dims, dtype=torch.float64)
    assert_close(own.at(anywhere), anywhere + interpolated(values, anywhere, align_corners))


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_basis_is_the_sum_of_functions_times_offsets(dims: int, align_corners: bool) -> None:
    shape, size = FIELD[dims], OUT[dims]
    functions = torch.randn(4, *shape, dtype=torch.float64)
    family = transform.Basis(functions)
    theta = torch.randn(3, 4 * dims, dtype=torch.float64)
    offsets = theta.view(3, 4, dims)
    own = family(theta, shape, align_corners=align_corners)
    expected = np.einsum("nkd,k...->n...d", offsets.numpy(), functions.numpy())
    assert_close(own.displacement().detach(), expected)

    grid = family(theta, size, align_corners=align_corners)
    where = (
        family(torch.zeros(1, 4 * dims).double(), size, align_corners=align_corners).points().flatten(1, -2)
    )
    read = interpolated(functions[None], where.detach(), align_corners)
    assert_close(grid.displacement().detach(), (read @ offsets).view(3, *size, dims))
    anywhere = 1.5 * torch.randn(1, 20, dims, dtype=torch.float64)
    read = interpolated(functions[None], anywhere, align_corners)
    assert_close(grid.displace(anywhere).detach(), read @ offsets)


def test_basis_starts_from_cosines_of_low_frequency() -> None:
    """Orthogonal, as the discrete cosine transform's are: the constant, then one bend along either axis."""
    family = transform.Basis(4, (6, 8))
    functions = family.functions.detach().double()
    assert_close(functions[0], torch.ones(6, 8).double())
    overlap = torch.einsum("khw,lhw->kl", functions, functions)
    assert torch.allclose(overlap, overlap.diag().diag(), atol=1e-5)
    changes = [
        (function.diff(dim=0).abs().max() > 0.1, function.diff(dim=1).abs().max() > 0.1)
        for function in functions
    ]
    assert changes[1:3] == [(False, True), (True, False)]


def test_a_learned_basis_learns_and_a_fixed_one_does_not() -> None:
    theta = torch.randn(2, 6)
    learned, fixed = transform.Basis(3, (4, 5)), transform.Basis(3, (4, 5), learned=False)
    assert [name for name, _ in learned.named_parameters()] == ["functions"]
    assert not list(fixed.parameters())
    assert set(learned.state_dict()) == set(fixed.state_dict()) == {"functions"}
    for size in ((4, 5), (7, 3)):  # stored, and interpolated
        (gradient,) = torch.autograd.grad(learned(theta, size).points().square().sum(), learned.functions)
        assert gradient.count_nonzero() == gradient.numel()


def test_a_basis_given_is_copied() -> None:
    values = torch.randn(3, 4, 5)
    family = transform.Basis(values)
    values.zero_()
    assert family.functions.any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_a_basis_given_in_sixteen_bits_is_kept_in_thirty_two(dtype: torch.dtype) -> None:
    assert transform.Basis(torch.randn(2, 4, 4).to(dtype)).functions.dtype == torch.float32
