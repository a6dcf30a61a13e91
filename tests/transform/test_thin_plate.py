"""The thin plate spline against SciPy's radial basis functions and scikit-image."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from skimage.transform import ThinPlateSplineTransform
from support.closeness import assert_close
from support.families import EVERY_CONVENTION

from torchstn import transform

# SciPy's names for r^2 log r, -r and r^3, each with an affine part.
KERNELS = {1: "cubic", 2: "thin_plate_spline", 3: "linear"}
POINTS = {1: (6,), 2: (3, 4), 3: (2, 3, 4)}
SIZE = {1: (9,), 2: (7, 8), 3: (3, 5, 4)}
# Both solve the spline's system, whose condition number is about 1e3. Worst seen 1e-14.
TOLERANCE = 1e-11


def control(points: tuple[int, ...]) -> NDArray[np.float64]:
    """The control points (k, d), (x, y[, z]), x fastest, the corners at -1 and 1."""
    axes = np.meshgrid(*[np.linspace(-1, 1, count) for count in points], indexing="ij")
    return np.stack(axes[::-1], -1).reshape(-1, len(points))


def by_scipy(
    points: tuple[int, ...], offsets: torch.Tensor, where: NDArray[np.float64], smoothing: float = 0
) -> NDArray[np.float64]:
    dims = len(points)
    spline = RBFInterpolator(
        control(points), offsets.numpy(), kernel=KERNELS[dims], degree=1, smoothing=smoothing
    )
    return spline(where.reshape(-1, dims)).reshape(where.shape)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_is_the_spline_of_scipy(dims: int, align_corners: bool, smoothing: float) -> None:
    points, size = POINTS[dims], SIZE[dims]
    family = transform.ThinPlate(points, dims=dims, smoothing=smoothing)
    theta = 0.3 * torch.randn(2, family.n_parameters, dtype=torch.float64)
    grid = family(theta, size, align_corners=align_corners)
    identity = family(torch.zeros_like(theta), size, align_corners=align_corners).points()[0].numpy()
    elsewhere = torch.randn(2, 20, dims, dtype=torch.float64)
    for sample, offsets in enumerate(theta.view(2, -1, dims)):
        expected = identity + by_scipy(points, offsets, identity, smoothing)
        assert_close(grid.points()[sample], expected, tolerance=TOLERANCE)
        anywhere = elsewhere[sample].numpy()
        expected = anywhere + by_scipy(points, offsets, anywhere, smoothing)
        assert_close(grid.at(elsewhere)[sample], expected, tolerance=TOLERANCE)


@pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")
def test_is_the_spline_of_scikit_image() -> None:
    family = transform.ThinPlate(4)
    theta = 0.2 * torch.randn(1, 32, dtype=torch.float64)
    spline = ThinPlateSplineTransform()
    assert spline.estimate(control((4, 4)), control((4, 4)) + theta.view(16, 2).numpy())
    where = torch.randn(1, 50, 2, dtype=torch.float64)
    found = family(theta, (5, 5)).at(where)[0]
    # scikit-image adds 1e-8 under its logarithm. Worst seen 1.3e-7.
    assert_close(found, spline(where[0].numpy()), tolerance=1e-6)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_passes_through_its_control_points(dims: int) -> None:
    points = POINTS[dims]
    family = transform.ThinPlate(points, dims=dims)
    theta = 0.3 * torch.randn(1, family.n_parameters, dtype=torch.float64)
    where = torch.from_numpy(control(points))[None]
    grid = family(theta, SIZE[dims])
    assert_close(grid.at(where) - where, theta.view(1, -1, dims), tolerance=TOLERANCE)


def test_strong_smoothing_leaves_the_best_affine_map() -> None:
    family = transform.ThinPlate(3, smoothing=1e9)
    theta = torch.randn(1, 18, dtype=torch.float64)
    where = torch.randn(1, 10, 2, dtype=torch.float64)
    design = np.concatenate([np.ones((9, 1)), control((3, 3))], 1)
    fit = np.linalg.lstsq(design, theta.view(9, 2).numpy(), rcond=None)[0]
    expected = np.concatenate([np.ones((10, 1)), where[0].numpy()], 1) @ fit
    assert_close(family(theta, (4, 4)).displace(where)[0], expected, tolerance=1e-6)  # 1 / smoothing is left


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_derivatives_are_finite_at_the_control_points(dims: int) -> None:
    """r^2 log r and |r| have none of their own there; the smooth parts' must come through alone."""
    family = transform.ThinPlate(POINTS[dims], dims=dims)
    theta = (0.1 * torch.randn(1, family.n_parameters, dtype=torch.float64)).requires_grad_()
    where = torch.from_numpy(control(POINTS[dims]))[None].requires_grad_()
    value = family(theta, SIZE[dims]).at(where).square().sum()
    first = torch.autograd.grad(value, (theta, where), create_graph=True)
    assert all(gradient.isfinite().all() and gradient.any() for gradient in first)
    second = torch.autograd.grad(sum(gradient.square().sum() for gradient in first), (theta, where))
    assert all(gradient.isfinite().all() for gradient in second)


@pytest.mark.parametrize("dims", [1, 2])
def test_the_derivative_at_a_control_point_is_the_limit_of_differences(dims: int) -> None:
    """In 1-D and 2-D the spline is differentiable there (in 3-D it has a corner)."""
    family = transform.ThinPlate(POINTS[dims], dims=dims)
    grid = family(0.1 * torch.randn(1, family.n_parameters, dtype=torch.float64), SIZE[dims])
    where = torch.from_numpy(control(POINTS[dims]))[None]
    step = torch.zeros(dims, dtype=torch.float64)
    step[0] = 1e-6
    slope = torch.func.jvp(grid.at, (where,), (step.expand_as(where) / 1e-6,))[1]
    # r^2 log r leaves step * log(step), 1.4e-5, where the differences are not symmetric; here they are.
    assert_close(slope, (grid.at(where + step) - grid.at(where - step)) / 2e-6, tolerance=1e-8)
