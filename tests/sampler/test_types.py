"""Types: what the output is made of, and in which precision it was computed."""

import pytest
import torch
from support.closeness import assert_close
from support.points import random_pixels, random_points, to_normalised
from torch import Tensor

import torchstn as stn

pytestmark = pytest.mark.usefixtures("each_backend")

SIZE = (6, 7)
KERNELS = ("nearest", "linear", "cubic", "lanczos3", "bspline3")
INTEGERS = (torch.int8, torch.int16, torch.int32, torch.int64)


def _points(batch: int = 2) -> Tensor:
    return random_points(batch, (8, 9), SIZE, False)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("padding", ["zeros", "reflection", "fill"])
def test_half_images_are_computed_in_single_precision(dtype: torch.dtype, kernel: str, padding: str) -> None:
    image = torch.randn(2, 3, *SIZE).to(dtype)
    fill = 0.3 if padding == "fill" else 0.0
    points = _points().float()  # in half precision the points alone would be off by a hundredth of a pixel
    actual = stn.sample(image, points, kernel=kernel, padding=padding, fill=fill)
    expected = stn.sample(
        image.double(), points, kernel=kernel, padding=padding, fill=float(torch.tensor(fill, dtype=dtype))
    )
    assert actual.dtype == dtype
    assert_close(actual.double(), expected, tolerance=torch.finfo(dtype).eps / 2 * 1.01 + 1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_images_get_half_gradients_and_the_grid_single_ones(dtype: torch.dtype) -> None:
    image = torch.randn(2, 3, *SIZE).to(dtype).requires_grad_()
    points = _points().float().requires_grad_()
    gradients = torch.autograd.grad(stn.sample(image, points).float().square().sum(), [image, points])
    wide = [value.detach().double().requires_grad_() for value in (image, points)]
    expected = torch.autograd.grad(stn.sample(*wide).square().sum(), wide)
    assert [gradient.dtype for gradient in gradients] == [dtype, torch.float32]
    for gradient, reference in zip(gradients, expected, strict=True):
        assert_close(gradient.double(), reference, tolerance=4 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("wide", ["image", "points"])
def test_coordinates_are_double_if_either_is(wide: str) -> None:
    image, points = torch.randn(2, 3, *SIZE, dtype=torch.float64), _points()
    expected = stn.sample(image, points)
    if wide == "image":
        output = stn.sample(image, points.float())
        reference = stn.sample(image, points.float().double())
    else:
        output = stn.sample(image.float(), points)
        reference = stn.sample(image.float().double(), points).float()
    assert output.dtype == (torch.float64 if wide == "image" else torch.float32)
    assert_close(output, reference, tolerance=1e-7)
    assert_close(output.double(), expected, tolerance=1e-5)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("padding", ["zeros", "circular", "fill"])
def test_bytes_are_the_rounded_and_saturated_floats(kernel: str, padding: str) -> None:
    image = torch.randint(0, 256, (2, 3, *SIZE))
    image[..., ::2] = 255 * (image[..., ::2] > 127)  # edges, where all but two kernels overshoot
    points, fill = _points(), 77 if padding == "fill" else 0
    exact = stn.sample(image.double(), points, kernel=kernel, padding=padding, fill=fill)
    actual = stn.sample(image.to(torch.uint8), points, kernel=kernel, padding=padding, fill=fill)
    assert torch.equal(actual, exact.round().clamp(0, 255).to(torch.uint8))
    if kernel not in ("nearest", "linear"):
        assert exact.max() > 256  # wrapping around would show


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection", "circular"])
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_whole_numbers_are_read_exactly(dtype: torch.dtype, padding: str) -> None:
    limits = torch.iinfo(dtype)
    image = torch.randint(limits.min, limits.max, (2, 3, *SIZE), dtype=dtype)
    image[..., 0] = limits.max  # not a float32, nor for int64 a float64
    numbers = torch.arange(image.numel(), dtype=torch.float64).view(image.shape) + 1
    points = _points()
    where = stn.sample(numbers, points, kernel="nearest", padding=padding).long()
    expected = torch.where(where > 0, image.flatten()[where - 1], 0)
    assert_close(stn.sample(image, points, kernel="nearest", padding=padding), expected)


@pytest.mark.parametrize("padding", ["zeros", "border", "fill"])
def test_labels_of_true_and_false(padding: str) -> None:
    image = torch.rand(2, 3, *SIZE) > 0.5
    points, fill = _points(), True if padding == "fill" else 0.0
    output = stn.sample(image, points, kernel="nearest", padding=padding, fill=fill)
    expected = stn.sample(image.double(), points, kernel="nearest", padding=padding, fill=float(fill))
    assert_close(output, expected == 1)


@pytest.mark.parametrize(
    ("fill", "dtype", "expected"),
    [
        (300, torch.uint8, 255),
        (-1, torch.uint8, 0),
        (99.7, torch.uint8, 100),
        ([99.7], torch.uint8, 100),
        (torch.tensor([300]), torch.uint8, 255),
        (2**40 + 1, torch.int64, 2**40 + 1),
        (-1e9, torch.int16, -(2**15)),
        (1e30, torch.int64, 2**63 - 1),
        (-1e30, torch.int64, -(2**63)),
        (torch.tensor([3e9]), torch.int32, 2**31 - 1),
        (float("inf"), torch.int32, 2**31 - 1),
        (0.2, torch.bool, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("place", [9.0, float("nan")], ids=["outside", "nowhere"])
def test_fill_is_rounded_and_saturated_as_the_image(
    fill: float, dtype: torch.dtype, expected: int, place: float
) -> None:
    points = torch.full((1, 1, 1, 2), place)
    output = stn.sample(
        torch.zeros(1, 1, 3, 3, dtype=dtype), points, kernel="nearest", padding="fill", fill=fill
    )
    assert output.dtype == dtype
    assert output.item() == expected


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_complex_images_are_two_real_ones(kernel: str, dtype: torch.dtype) -> None:
    image, points = torch.randn(2, 3, *SIZE, dtype=dtype), _points().to(dtype.to_real())
    actual = stn.sample(image, points, kernel=kernel, padding="fill", fill=torch.tensor(1 - 2j))
    parts = [
        stn.sample(part, points, kernel=kernel, padding="fill", fill=fill)
        for part, fill in ((image.real, 1.0), (image.imag, -2.0))
    ]
    assert_close(actual, torch.complex(*parts))


@pytest.mark.parametrize("kernel", KERNELS)
def test_autocast_changes_nothing(kernel: str) -> None:
    image, pixels = torch.randn(2, 3, 5, 300), random_pixels(2, (4, 40), (5, 300))
    points = to_normalised(pixels, (5, 300), False).float()
    expected = stn.sample(image, points, kernel=kernel)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(stn.sample(image, points, kernel=kernel), expected)
