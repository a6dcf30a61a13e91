"""Coverage by counting, and Jacobian determinants by NumPy's differences and in closed form."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from support.closeness import assert_close
from support.families import EVERY_CONVENTION, EVERY_FAMILY, Family, random_theta
from torch.autograd import gradcheck

from torchstn import sample, transform
from torchstn.grid import PointGrid, lattice
from torchstn.grid.jacobian import jacobian


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_coverage_is_the_share_that_reads_inside(family: Family, align_corners: bool) -> None:
    """Counted on the sampler's own mask."""
    instance = family.make()
    size = (9, 8, 7)[-family.dims :]
    grid = instance(random_theta(instance, 3, scale=0.5), size, align_corners=align_corners)
    _, mask = sample(torch.zeros(1, 1, *size, dtype=torch.float64), grid, return_mask=True)
    assert_close(grid.coverage(), mask.flatten(1).double().mean(1))
    assert not grid.to(torch.float64).coverage().requires_grad


def test_coverage_counted_by_hand() -> None:
    """Shifted by two of eight columns; twice as wide; wholly outside; the identity's edge is inside."""
    theta = torch.tensor([[1.0, 0.5, 0.0], [2.0, 0.0, 0.0], [1.0, 2.5, 0.0], [1.0, 0.0, 0.0]])
    grid = transform.Attention()(theta, (8, 8))
    assert grid.coverage().tolist() == [0.75, 0.25, 0, 1]
    assert transform.Attention()(theta[3:], (8, 8), align_corners=True).coverage().item() == 1


def test_coverage_is_the_area_of_the_overlap() -> None:
    """By Monte Carlo, and by SciPy shifting a mask."""
    n = 201
    grid = transform.Rigid()(torch.tensor([[0.6, 0.3, -0.2]], dtype=torch.float64), (n, n))
    random = 2 * torch.rand(1, 200_000, 2, dtype=torch.float64) - 1
    share = (grid.at(random).abs() <= 1).all(-1).double().mean().item()
    assert grid.coverage().item() == pytest.approx(share, abs=5e-3)  # 4.5 standard errors and a pixel's edge
    mask = ndimage.shift(np.ones((n, n)), (-0.2 * -n / 2, 0.3 * -n / 2), order=1)
    turned = transform.Translation()(torch.tensor([[0.3, -0.2]], dtype=torch.float64), (n, n))
    assert turned.coverage().item() == pytest.approx((mask > 0.5).mean(), abs=1e-2)


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_determinant_of_a_field_is_that_of_numpys_differences(dims: int, align_corners: bool) -> None:
    size = (5, 6, 7)[-dims:]
    grid = PointGrid(0.2 * torch.randn(2, *size, dims, dtype=torch.float64), align_corners=align_corners)
    regular = [np.arange(n) * 2 / (n - align_corners) for n in size]
    for points, found in zip(grid.points().numpy(), grid.jacobian_determinant(), strict=True):
        columns = np.gradient(points, *regular, axis=tuple(range(dims)))
        columns = [columns] if dims == 1 else list(columns)
        jacobian = np.stack(columns[::-1], -1)  # columns in x, y, z
        assert_close(found, np.linalg.det(jacobian))


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_jacobian_is_that_of_small_steps(family: Family) -> None:
    """At random points, which miss the corners of linearly interpolated fields."""
    instance, d = family.make(), family.dims
    grid = instance(random_theta(instance, 2), (3, 4, 5)[-d:])
    where = 2 * torch.rand(1, 30, d, dtype=torch.float64) - 1
    columns = []
    for axis in range(d):
        step = torch.zeros(d, dtype=torch.float64)
        step[axis] = 1e-6
        columns.append((grid.at(where + step) - grid.at(where - step)) / 2e-6)
    assert_close(jacobian(grid, where), torch.stack(columns, -1), tolerance=1e-7)  # worst seen 2e-9


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("family", [item for item in EVERY_FAMILY if "displacement" not in str(item.id)])
def test_determinant_is_numpys_of_the_jacobian_on_the_lattice(family: Family, align_corners: bool) -> None:
    instance, d = family.make(), family.dims
    size = (3, 4, 5)[-d:]
    grid = instance(random_theta(instance, 2), size, align_corners=align_corners)
    assert not isinstance(grid, PointGrid)  # those are taken by differences on their own lattice, as above
    where = lattice(size, align_corners, torch.float64, torch.device("cpu")).flatten(0, -2)[None]
    expected = np.linalg.det(jacobian(grid, where).detach().numpy())
    assert_close(grid.jacobian_determinant().flatten(1), expected)


def test_determinant_in_closed_form() -> None:
    """Of the affine map, that of its matrix; of the projective one, det / denominator^(d + 1)."""
    affine = transform.Affine()(torch.tensor([[0.5, 0.2, 0.1, -0.3, 0.4, 0.0]], dtype=torch.float64), (3, 4))
    assert_close(
        affine.jacobian_determinant(), torch.full((1, 3, 4), 0.5 * 0.4 + 0.2 * 0.3, dtype=torch.float64)
    )
    for dims in (1, 2, 3):
        family = transform.Projective(dims=dims)
        theta = random_theta(family, 2)
        grid = family(theta, (3, 4, 5)[-dims:])
        matrix = torch.cat([theta, torch.ones(2, 1)], 1).view(2, dims + 1, dims + 1)
        identity = family(family.identity().double()[None], grid.size).points()
        denominator = (identity * matrix[:, dims, :dims].view(2, *[1] * dims, dims)).sum(-1) + 1
        expected = np.linalg.det(matrix.numpy()).reshape(2, *[1] * dims) / denominator.numpy() ** (dims + 1)
        assert_close(grid.jacobian_determinant(), expected, tolerance=1e-11)


def test_determinant_of_zooming_and_of_mirroring() -> None:
    grid = transform.Affine()(torch.tensor([[0.5, 0, 0, 0, 0.5, 0], [-1.0, 0, 0, 0, 1, 0]]), (4, 5))
    assert (grid.jacobian_determinant()[0] == 0.25).all()
    assert (grid.jacobian_determinant()[1] == -1).all()


def test_a_fold_is_negative_where_it_folds_and_nowhere_else() -> None:
    """x + 0.6 sin(pi x) turns back where cos(pi x) < -1 / (0.6 pi)."""
    family = transform.Displacement((5, 101))
    x = family(torch.zeros(1, 1010, dtype=torch.float64), (5, 101)).points()[..., 0]
    grid = PointGrid(torch.stack([0.6 * torch.sin(torch.pi * x), torch.zeros_like(x)], -1))
    folded = grid.jacobian_determinant() < 0
    expected = torch.cos(torch.pi * x) < -1 / (0.6 * torch.pi)
    assert expected.any()
    assert (folded != expected).sum() <= 2 * 5  # a column on either side of the boundary


@pytest.mark.parametrize("name", ["projective", "thin_plate", "free_form", "displacement", "basis"])
def test_determinant_is_differentiable(name: str) -> None:
    """A folding penalty trains theta."""
    family = next(item.values[0] for item in EVERY_FAMILY if item.id == f"{name}-2d")
    instance = family.make()
    theta = random_theta(instance, 1).requires_grad_()
    assert gradcheck(lambda theta: instance(theta, (3, 4)).jacobian_determinant(), theta, fast_mode=True)
