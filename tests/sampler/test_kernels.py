"""Kernels of the user's own, and the law that whole pixels are read whole."""

import math

import pytest
import torch
from support.closeness import assert_close
from support.gradients import assert_gradients_agree
from support.points import random_pixels, random_points, to_normalised
from torch import Tensor
from torch.nn import functional as F

import torchstn as stn

PADDINGS = ("zeros", "border", "reflection", "circular", "fill")


def _triangle(distance: Tensor) -> Tensor:
    return (1 - distance.abs()).clamp(min=0)


def _keys(distance: Tensor) -> Tensor:
    """Keys' cubic with a = -0.75, as his paper has it."""
    s = distance.abs()
    near = 1.25 * s**3 - 2.25 * s**2 + 1
    far = -0.75 * s**3 + 3.75 * s**2 - 6 * s + 3
    return torch.where(s < 1, near, torch.where(s < 2, far, 0.0))


@pytest.mark.parametrize(
    ("function", "support", "mode"),
    [(_triangle, 1, "bilinear"), (_keys, 2, "bicubic")],
    ids=["linear", "cubic"],
)
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_a_users_kernel_makes_torchs(function: object, support: float, mode: str, padding: str) -> None:
    kernel = stn.Kernel(function, support=support)
    inputs = [torch.randn(2, 2, 6, 5, dtype=torch.float64), random_points(2, (7, 8), (6, 5), False)]

    def ours(image: Tensor, points: Tensor) -> Tensor:
        return stn.sample(image, points, kernel=kernel, padding=padding)

    def theirs(image: Tensor, points: Tensor) -> Tensor:
        return F.grid_sample(image, points, mode, padding, align_corners=False)

    assert_gradients_agree(ours, theirs, inputs)


@pytest.mark.parametrize("support", [0.5, 1.0, 1.5, 2.3, 4.0])
@pytest.mark.parametrize("normalise", [False, True], ids=["as it is", "normalised"])
def test_a_users_kernel_is_the_sum_over_all_pixels(support: float, normalise: bool) -> None:
    """Equation 3 of the paper, literally: a weight for every pixel of the row."""
    row = torch.randn(12, dtype=torch.float64)
    x = random_pixels(1, (40,), (12,), beyond=-4, margin=0.2)
    distance = x.flatten()[:, None] - torch.arange(12)
    weights = torch.where(distance.abs() <= support, torch.exp(-(distance**2)), 0.0)
    if normalise:
        weights = weights / weights.sum(1, keepdim=True)
    kernel = stn.Kernel(lambda d: torch.exp(-(d**2)), support=support, normalise=normalise)
    actual = stn.sample(row.view(1, 1, -1), to_normalised(x, (12,), False), kernel=kernel)
    assert_close(actual.flatten(), weights @ row)


def test_the_function_is_not_asked_beyond_its_support() -> None:
    largest = []

    def bump(distance: Tensor) -> Tensor:
        largest.append(float(distance.detach().abs().max()))
        return (1.5**2 - distance**2) ** 1.5  # NaN beyond 1.5, which would poison the gradient

    points = random_points(1, (40,), (9,), False).requires_grad_()
    output = stn.sample(torch.randn(1, 1, 9, dtype=torch.float64), points, kernel=stn.Kernel(bump, 1.5))
    (gradient,) = torch.autograd.grad(output.sum(), points)
    assert max(largest) <= 1.5
    assert output.isfinite().all()
    assert gradient.isfinite().all()
    assert (gradient != 0).sum() > 20


def test_a_learned_kernel_gets_its_gradient() -> None:
    width = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    image, points = torch.randn(1, 1, 6, 6, dtype=torch.float64), random_points(1, (5, 5), (6, 6), False)

    def energy(width: Tensor) -> Tensor:
        kernel = stn.Kernel(lambda d: torch.exp(-((d / width) ** 2)), 2.5, normalise=True)
        return stn.sample(image, points, kernel=kernel)

    assert torch.autograd.gradcheck(energy, (width,))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("kernel", ["nearest", "linear", "cubic", "lanczos3"])
@pytest.mark.parametrize("align_corners", [False, True], ids=["edges", "centres"])
@pytest.mark.parametrize("size", [(13,), (7, 10), (1, 3), (3, 1, 5)], ids=str)
def test_law_the_identity_changes_no_bit(
    size: tuple[int, ...], align_corners: bool, kernel: str, padding: str
) -> None:
    dims = len(size)
    image = torch.randn(2, 3, *size)
    theta = torch.eye(dims, dims + 1).view(1, -1)
    grid = stn.transform.Affine(dims=dims)(theta, size, align_corners=align_corners)
    assert torch.equal(stn.sample(image, grid, kernel=kernel, padding=padding), image)


@pytest.mark.parametrize("padding", PADDINGS)
def test_law_the_spline_changes_nothing_but_rounding(padding: str) -> None:
    image = torch.rand(2, 3, 9, 14)
    grid = stn.transform.Affine()(torch.eye(2, 3).view(1, 6), (9, 14))
    output = stn.sample(image, grid, kernel="bspline3", padding=padding)
    assert float((output - image).abs().max()) <= 1e-6


@pytest.mark.parametrize("kernel", ["linear", "cubic", "lanczos3"])
def test_whole_pixels_are_read_whole_wherever_they_are(kernel: str) -> None:
    length = 256
    row = torch.randn(1, 1, length)
    step = math.ldexp(1, -7)  # of a pixel, normalised, exactly
    grid = stn.grid.PointGrid(torch.full((1, length, 1), 3 * step))
    assert torch.equal(stn.sample(row, grid, kernel=kernel, padding="circular"), row.roll(-3, -1))
