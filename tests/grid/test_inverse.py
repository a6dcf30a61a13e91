"""The inverse undoes a grid, is differentiable, and says where it does not exist."""

import numpy as np
import pytest
import torch
from support.closeness import assert_close
from support.families import EVERY_CONVENTION, EVERY_FAMILY, Family, random_theta, smooth_image
from torch import Tensor
from torch.autograd import gradcheck

from torchstn import sample, transform
from torchstn.grid import MatrixGrid, lattice

SIZE = (5, 7, 6)


def regular(size: tuple[int, ...], align_corners: bool = False) -> Tensor:
    return lattice(size, align_corners, torch.float64, torch.device("cpu"))


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_of_every_kind_undoes_it(family: Family, align_corners: bool) -> None:
    instance = family.make()
    size = SIZE[-family.dims :]
    grid = instance(random_theta(instance, scale=0.05), size, align_corners=align_corners)
    inverse, report = grid.inverse_with_report((4, 5, 9)[-family.dims :])
    assert inverse.size == (4, 5, 9)[-family.dims :]
    assert report.converged.all(), report
    there = inverse.points().flatten(1, -2)
    expected = regular(inverse.size, align_corners).flatten(0, -2).expand_as(there)
    # One step beyond the tolerance of 1e-5: its square is left, or a corner of a field is crossed.
    assert (grid.at(there) - expected).abs().max() < 1e-5
    assert (grid @ inverse).size == inverse.size
    assert ((grid @ inverse).points().flatten(1, -2) - expected).abs().max() < 1e-5
    assert "100.0% of the points converged" in str(report)
    assert (report.residual <= 1e-5).all()


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_of_matrices_is_that_of_numpy(dims: int) -> None:
    affine, projective = transform.Affine(dims=dims), transform.Projective(dims=dims)
    for family, rows in ((affine, dims), (projective, dims + 1)):
        grid = family(random_theta(family, 3, scale=0.3), SIZE[-dims:])
        assert isinstance(grid, MatrixGrid)
        full = np.tile(np.eye(dims + 1), (3, 1, 1))
        full[:, :rows] = grid.matrix
        expected = np.linalg.inv(full)
        found = grid.inverse().matrix
        if rows > dims:  # defined up to a factor
            found = found / found[:, -1:, -1:]
            expected = expected / expected[:, -1:, -1:]
        assert_close(found, expected[:, :rows], tolerance=1e-10)  # worst seen 1e-14


def test_size_and_convention() -> None:
    grid = transform.Affine()(random_theta(transform.Affine()), (5, 7), align_corners=True)
    assert grid.inverse().size == (5, 7)
    assert grid.inverse((3, 4)).size == (3, 4)
    assert grid.inverse((3, 4)).align_corners
    plate = transform.ThinPlate(3)(
        random_theta(transform.ThinPlate(3), scale=0.02), (5, 7), align_corners=True
    )
    assert plate.inverse().size == (5, 7)
    assert plate.inverse((3, 4)).align_corners


@pytest.mark.parametrize(
    "family", [transform.Rigid(), transform.ThinPlate(3), transform.FreeForm(5)], ids=repr
)
def test_undoes_the_picture(family: transform.Transform) -> None:
    size = (80, 90)
    image = smooth_image(size)
    grid = family(random_theta(family, 1, scale=0.08), size)
    warped = sample(image, grid, kernel="cubic", padding="border")
    restored = sample(warped, grid.inverse(), kernel="cubic", padding="border")
    inner = (..., slice(15, -15), slice(15, -15))
    assert (warped - image)[inner].abs().max() > 0.03
    assert (restored - image)[inner].abs().max() < 1e-3


@pytest.mark.parametrize("name", ["affine", "projective", "thin_plate", "free_form", "displacement", "basis"])
def test_gradients_by_differences(name: str) -> None:
    """Of the inverse's points in theta, and of unmapped points in themselves."""
    family = next(f.values[0] for f in EVERY_FAMILY if f.id == f"{name}-2d")
    instance = family.make()
    theta = random_theta(instance, 1, scale=0.05).requires_grad_()

    def points(theta: Tensor) -> Tensor:
        grid = instance(theta, (3, 4))
        return grid.inverse().points() if isinstance(grid, MatrixGrid) else inverse(grid)

    def inverse(
        grid: object,
    ) -> Tensor:  # tighter than the default: differences divide the error by their step
        return grid.inverse_with_report(tolerance=1e-12)[0].points()  # type: ignore[attr-defined]

    assert gradcheck(points, theta, fast_mode=True)
    where = (1.2 * torch.rand(1, 4, 2, dtype=torch.float64) - 0.6).requires_grad_()
    assert gradcheck(
        lambda where: instance(theta.detach(), (3, 4)).unmap_points(where), where, eps=1e-4, atol=1e-4
    )


def test_a_warp_that_flattens_out_is_undone_by_steps_that_do_not_leap_off() -> None:
    """Of tanh(3 x) whole Newton steps from where it is flat lead ever further away."""
    ends = torch.linspace(-1, 1, 7, dtype=torch.float64)
    grid = transform.ThinPlate(7, dims=1)(((3 * ends).tanh() / np.tanh(3) - ends)[None], (64,))
    assert (grid.jacobian_determinant() > 0.05).all()
    _, report = grid.inverse_with_report()
    assert report.converged.all(), report
    where = torch.linspace(-0.99, 0.99, 41, dtype=torch.float64).view(1, -1, 1)
    # As accurate as one step beyond the tolerance of 1e-5.
    assert_close(grid.at(grid.unmap_points(where)), where, tolerance=1e-5)


def test_a_fold_converges_where_the_report_says_and_reads_outside_elsewhere() -> None:
    family = transform.Displacement((6, 7))
    theta = 0.7 * torch.randn(1, family.n_parameters, dtype=torch.float64)
    grid = family(theta.requires_grad_(), (6, 7))
    assert (grid.jacobian_determinant() < 0).any()
    inverse, report = grid.inverse_with_report()
    share = report.converged.double().mean().item()
    assert 0.1 < share < 0.95
    assert f"{share:.1%} of the points converged in 50 steps" in str(report)
    points = inverse.points()
    assert torch.equal(points.isnan().any(-1), ~report.converged)
    reached = grid.at(points.nan_to_num().flatten(1, -2)).view_as(points)
    distance = (reached - regular((6, 7))).norm(dim=-1)
    assert (distance[report.converged] < 1e-5).all()
    assert (report.residual[~report.converged] > 1e-5).all()

    image = torch.ones(1, 1, 6, 7, dtype=torch.float64)
    output = sample(image, inverse, padding="border")
    assert torch.equal(output[0] == 0, ~report.converged)
    (gradient,) = torch.autograd.grad(output.sum() + points.nan_to_num().sum(), theta)
    assert gradient.isfinite().all()


@pytest.mark.parametrize(
    ("family", "theta"),
    [
        (transform.ThinPlate(3), -regular((3, 3), True).flatten()),
        (transform.Affine(), torch.zeros(6, dtype=torch.float64)),  # whose derivatives are zero exactly
    ],
    ids=["thin plate", "affine"],
)
def test_a_collapse_converges_nowhere_and_has_zero_gradients(
    family: transform.Transform, theta: Tensor
) -> None:
    """Every point reads the centre: the derivatives have no inverse."""
    theta = theta[None].requires_grad_()
    grid = family(theta, (4, 6))
    inverse, report = grid.inverse_with_report(max_steps=10)
    assert not report.converged.any()
    assert (report.residual > 0.1).all()
    output = sample(torch.ones(1, 1, 4, 6, dtype=torch.float64), inverse, padding="border")
    assert (output == 0).all()
    (gradient,) = torch.autograd.grad(output.sum() + inverse.points().nan_to_num().sum(), theta)
    assert (gradient == 0).all()


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize(
    ("family", "theta"),
    [
        (transform.Affine(), [1, 2, 0.1, 2, 4, 0.2]),
        (transform.Affine(), [0, 0, 0, 0, 0, 0]),
        (transform.Attention(), [0, 0.3, 0]),
        (transform.Projective(), [1, 0, 1, 0, 1, 0, 1, 0]),
        (transform.Projective(), [0, 0, 1, 0, 0, 1, 0, 0]),
    ],
    ids=["rank one", "zeros", "no scale", "projective of rank two", "projective of rank one"],
)
def test_a_singular_matrix_has_an_inverse_that_reads_outside(
    family: transform.Transform, theta: list[float], align_corners: bool
) -> None:
    """With zero gradient, and the other sample untouched."""
    other = random_theta(family, 1)[0]
    both = torch.stack([torch.tensor(theta, dtype=torch.float64), other]).requires_grad_()
    inverse = family(both, (4, 5), align_corners=align_corners).inverse()
    output = sample(torch.ones(2, 1, 4, 5, dtype=torch.float64), inverse, padding="border")
    assert (output[0] == 0).all()
    assert_close(output[1], torch.ones(1, 4, 5, dtype=torch.float64))
    (gradient,) = torch.autograd.grad(
        inverse.unmap_points(regular((2, 2)).view(1, 4, 2)).nan_to_num().sum(), both
    )
    assert gradient.isfinite().all()
    assert inverse.map_points(torch.zeros(1, 1, 2))[0].isnan().all()


def test_stops_when_what_is_left_cannot_be_found() -> None:
    theta = torch.zeros(2, 18)
    theta[1, 3] = float("nan")
    _, report = transform.ThinPlate(3)(theta, (4, 5)).inverse_with_report()
    assert report.steps < 5
    assert report.converged[0].all()
    assert not report.converged[1].any()
