"""Cubic B-splines: torch-interpol and SciPy's spline tools are the oracles, for every padding."""

import warnings

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import interpolate, linalg
from support.closeness import assert_close
from support.points import random_pixels, to_normalised

import torchstn as stn
from torchstn.grid.spline import cubic_bspline

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it is built on torch.jit
    import interpol

BOUNDS = {
    ("zeros", False): "zero",
    ("border", False): "replicate",
    ("reflection", True): "dct1",
    ("reflection", False): "dct2",
    ("circular", False): "dft",
}
NAMES = [f"{padding}-{align_corners}" for padding, align_corners in BOUNDS]
UNFILTERED = stn.Kernel(cubic_bspline, support=2)


@pytest.mark.parametrize("size", [(11,), (7, 9), (5, 6, 4)], ids=["1-D", "2-D", "3-D"])
@pytest.mark.parametrize(("padding", "align_corners"), BOUNDS, ids=NAMES)
def test_coefficients_are_read_as_torch_interpol_reads_them(
    padding: str, align_corners: bool, size: tuple[int, ...]
) -> None:
    coefficients = torch.randn(2, 3, *size, dtype=torch.float64)
    pixels = random_pixels(2, (6,) * len(size), size, beyond=4)
    points = to_normalised(pixels, size, align_corners)
    actual = stn.sample(coefficients, points, kernel=UNFILTERED, padding=padding, align_corners=align_corners)
    expected = interpol.grid_pull(
        coefficients,
        pixels.flip(-1),
        interpolation=3,
        bound=BOUNDS[padding, align_corners],
        extrapolate=True,
        prefilter=False,
    )
    assert_close(actual, expected)


# It has filters of its own for these three; the reflected one needs a long axis (see test_scipy).
@pytest.mark.parametrize(
    "choice", [("reflection", True), ("reflection", False), ("circular", False)], ids=str
)
def test_images_are_read_as_torch_interpol_reads_them(choice: tuple[str, bool]) -> None:
    padding, align_corners = choice
    size = (24, 22)
    image = torch.randn(1, 2, *size, dtype=torch.float64)
    pixels = random_pixels(1, (9, 8), size, beyond=6)
    points = to_normalised(pixels, size, align_corners)
    actual = stn.sample(image, points, kernel="bspline3", padding=padding, align_corners=align_corners)
    expected = interpol.grid_pull(
        image, pixels.flip(-1), interpolation=3, bound=BOUNDS[choice], extrapolate=True, prefilter=True
    )
    assert_close(actual, expected)


def _spline_with_banded_system(row: NDArray[np.float64], at: NDArray[np.float64], padding: str) -> object:
    """The spline through `row` whose coefficients go on beyond its ends as zeros, or as the last one."""
    n = len(row)
    bands = np.tile([[1.0], [4.0], [1.0]], n) / 6
    if padding == "border":
        np.add.at(bands[1], [0, -1], 1 / 6)  # twice on a row of one pixel
    coefficients = linalg.solve_banded((1, 1), bands, row)
    beyond = 12
    mode = "edge" if padding == "border" else "constant"
    extended = np.pad(coefficients, beyond, mode=mode)
    knots = np.arange(len(extended) + 4) - beyond - 2.0
    return interpolate.BSpline(knots, extended, 3)(at)


@pytest.mark.parametrize("length", [1, 2, 3, 8])
@pytest.mark.parametrize("padding", ["zeros", "border", "fill"])
def test_a_row_is_interpolated_as_by_scipys_spline(padding: str, length: int) -> None:
    row = torch.randn(length, dtype=torch.float64)
    pixels = torch.linspace(-6.3, length + 5.4, 70, dtype=torch.float64)
    points = to_normalised(pixels.view(1, -1, 1), (length,), False)
    fill = 0.8 if padding == "fill" else 0.0
    actual = stn.sample(row.view(1, 1, -1), points, kernel="bspline3", padding=padding, fill=fill)
    expected = _spline_with_banded_system((row - fill).numpy(), pixels.numpy(), padding) + fill
    assert_close(actual[0, 0], expected)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection", "circular", "fill"])
@pytest.mark.parametrize("align_corners", [False, True], ids=["edges", "centres"])
def test_the_spline_passes_through_every_pixel(padding: str, align_corners: bool) -> None:
    image = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    identity = stn.transform.Affine()(
        torch.eye(2, 3).double().view(1, 6), (5, 4), align_corners=align_corners
    )
    assert_close(stn.sample(image, identity, kernel="bspline3", padding=padding), image)


def test_the_basis_function_is_scipys_with_two_derivatives() -> None:
    element = interpolate.BSpline.basis_element(np.arange(-2.0, 3.0), extrapolate=False)
    # The knots are among them: abs() at 0 would lose the second derivative there.
    x = torch.linspace(-2.5, 2.5, 101, dtype=torch.float64, requires_grad=True)
    value = cubic_bspline(x)
    (first,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    for order, derivative in enumerate([value, first, second]):
        expected = np.nan_to_num(element.derivative(order)(x.detach().numpy()))
        assert_close(derivative, expected, what=f"derivative {order}")
