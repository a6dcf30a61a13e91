"""Free-form deformation against SciPy's B-splines and torch-interpol."""

import interpol
import numpy as np
import pytest
import torch
from scipy.interpolate import NdBSpline
from support.closeness import assert_close
from support.families import EVERY_CONVENTION

from torchstn import transform

POINTS = {1: (6,), 2: (5, 7), 3: (4, 5, 6)}
SIZE = {1: (9,), 2: (7, 8), 3: (3, 5, 4)}


def knots(count: int) -> np.ndarray:
    """Of cubics with control point i at -1 + 2 (i - 1) / (count - 3): uniform, going on beyond both ends."""
    return -1 + (np.arange(count + 4) - 3) * 2 / (count - 3)


def by_scipy(offsets: torch.Tensor, points: tuple[int, ...], where: np.ndarray) -> np.ndarray:
    """`where` (m, d), x first, inside [-1, 1]."""
    coefficients = offsets.view(*points, len(points)).numpy()
    return NdBSpline(tuple(map(knots, points)), coefficients, 3)(where[:, ::-1])


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_is_the_spline_of_scipy(dims: int, align_corners: bool) -> None:
    points, size = POINTS[dims], SIZE[dims]
    family = transform.FreeForm(points, dims=dims)
    theta = 0.3 * torch.randn(2, family.n_parameters, dtype=torch.float64)
    grid = family(theta, size, align_corners=align_corners)
    lattice = family(torch.zeros_like(theta), size, align_corners=align_corners).points()[0]
    anywhere = 2 * torch.rand(2, 30, dims, dtype=torch.float64) - 1
    for row in range(2):
        where = lattice.reshape(-1, dims).numpy()
        expected = where + by_scipy(theta[row], points, where)
        assert_close(grid.points()[row].reshape(-1, dims), expected)
        where = anywhere[row].numpy()
        assert_close(grid.at(anywhere)[row], where + by_scipy(theta[row], points, where))


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_is_the_spline_of_torch_interpol_also_beyond_the_image(dims: int) -> None:
    """Where no control point is left the offsets fade to zero."""
    points = POINTS[dims]
    family = transform.FreeForm(points, dims=dims)
    theta = torch.randn(1, family.n_parameters, dtype=torch.float64)
    where = 3 * (2 * torch.rand(1, 40, dims, dtype=torch.float64) - 1)
    index = (where.flip(-1) + 1) / 2 * (torch.tensor(points) - 3) + 1  # of the control points, array order
    coefficients = theta.view(1, *points, dims).movedim(-1, 1)
    index = index.view(1, 40, *([1] * (dims - 1)), dims)
    pulled = interpol.grid_pull(coefficients, index, interpolation=3, bound="zero", extrapolate=True)
    assert_close(family(theta, SIZE[dims]).displace(where), pulled.flatten(2).transpose(1, 2))


def test_equal_offsets_move_everything_alike() -> None:
    family = transform.FreeForm((5, 6))
    theta = torch.tensor([0.3, -0.2], dtype=torch.float64).repeat(30)[None]
    assert_close(family(theta, (4, 5)).displacement(), theta[0, :2].expand(1, 4, 5, 2).clone())


def test_one_offset_moves_no_more_than_four_spacings() -> None:
    theta = torch.zeros(1, 10, 10, 2, dtype=torch.float64)
    theta[:, 4, 4] = 1
    moved = (
        transform.FreeForm(10)(theta.flatten(1), (71, 71), align_corners=True).displacement()[0, ..., 0] > 0
    )
    assert moved.any(0).sum() == moved.any(1).sum() == 4 * 10 - 1  # ten pixels a spacing


def test_the_documented_bound_keeps_it_from_folding() -> None:
    """Choi and Lee's bound, on the worst corner they name and at random."""
    points = 8
    family = transform.FreeForm(points, max_displacement=0.8 / (points - 3))
    raw = 1e3 * torch.sign(torch.randn(40, family.n_parameters, dtype=torch.float64))
    grid = family(family.constrain(raw), (31, 31), align_corners=True)
    assert (grid.jacobian_determinant() > 0).all()
    loose = transform.FreeForm(points)(3 * family.constrain(raw), (31, 31), align_corners=True)
    assert (loose.jacobian_determinant() < 0).any()
