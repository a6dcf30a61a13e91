"""The GPU kernels where a rounding would show: the identity, and sums in any order."""

from collections.abc import Iterator
from itertools import product

import pytest
import torch
from support.closeness import assert_close
from torch import Tensor

import torchstn as stn
from torchstn.grid import MatrixGrid

FAMILIES = (
    "Translation",
    "Attention",
    "Rigid",
    "Similarity",
    "Affine",
    "Projective",
    "ThinPlate",
    "FreeForm",
)
LENGTHS = (1, 2, 3, 7, 29, 48, 61)


@pytest.fixture
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("align_corners", [False, True], ids=["edges", "centres"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_identity_gives_the_image_back(family: str, align_corners: bool, triton_device: str) -> None:
    """Bit for bit: a product fused with a sum would miss whole numbers at about half of these sizes."""
    transform = getattr(stn.transform, family)()
    sizes = [*zip(LENGTHS, reversed(LENGTHS), strict=True), (299, 3)]
    for number, size in enumerate(sizes):
        image = torch.randn(1, 2, *size, device=triton_device)
        grid = transform(transform.identity().to(triton_device)[None], size, align_corners=align_corners)
        kernel = ("nearest", "linear", "cubic")[number % 3]
        padding = ("zeros", "border", "reflection", "circular")[number % 4]
        output = stn.sample(image, grid, kernel=kernel, padding=padding, backend="triton")
        assert torch.equal(output, image), (size, kernel)


@pytest.mark.parametrize("size", [(5,), (3, 5, 7)], ids=["1-D", "3-D"])
def test_the_identity_in_other_dimensions(size: tuple[int, ...], triton_device: str) -> None:
    for dtype, align_corners in product((torch.float32, torch.float64, torch.bfloat16), (False, True)):
        image = torch.randn(2, 3, *size, device=triton_device).to(dtype)
        matrix = torch.eye(len(size), len(size) + 1, device=triton_device)[None]
        grid = MatrixGrid(matrix, size=size, align_corners=align_corners)
        assert torch.equal(stn.sample(image, grid, backend="triton"), image)


def _slope(image: Tensor, matrix: Tensor, cotangent: Tensor, kernel: str = "linear") -> list[Tensor]:
    leaves = [image.detach().requires_grad_(), matrix.detach().requires_grad_()]
    grid = MatrixGrid(leaves[1], size=cotangent.shape[2:])
    options = {"kernel": kernel, "padding": "border", "backend": "triton"}
    output = stn.sample(leaves[0], grid, **options)
    return list(torch.autograd.grad(output, leaves[: 1 if kernel == "nearest" else 2], cotangent))


def _inputs(device: str, dtype: torch.dtype = torch.float32, images: int = 2) -> list[Tensor]:
    # A zoom of ten: every pixel gathers from a hundred points, in several tiles.
    matrix = torch.tensor([[0.1, 0.02, 0.1], [-0.03, 0.1, 0.0]]).expand(2, 2, 3)
    values = torch.randn(images, 2, 9, 8), matrix, torch.randn(2, 2, 30, 40)
    return [value.to(device, torch.float32 if value is matrix else dtype) for value in values]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("images", [1, 2])
def test_deterministic_sums_do_not_depend_on_their_order(
    dtype: torch.dtype, images: int, triton_device: str, deterministic: None
) -> None:
    """Read backwards, by whole pixels, other points come first; in floating point that changes a bit."""
    image, matrix, cotangent = _inputs(triton_device, dtype, images)
    first = _slope(image, matrix, cotangent)
    again = _slope(image, matrix, cotangent)
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    signs = torch.tensor([-1.0, -1.0, 1.0], device=triton_device)
    results = [
        _slope(image, one, values, kernel="nearest")[0]
        for one, values in ((matrix, cotangent), (matrix * signs, cotangent.flip(-1, -2)))
    ]
    assert torch.equal(*results)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("scale", [1e-38, 1e-20, 1e-3, 1e30])
def test_deterministic_sums_keep_their_precision_at_any_scale(
    scale: float, dtype: torch.dtype, triton_device: str, deterministic: None
) -> None:
    image, matrix, cotangent = _inputs(triton_device, dtype)
    small, _ = _slope(image, matrix, cotangent * scale)
    torch.use_deterministic_algorithms(False)
    exact, _ = _slope(image.double(), matrix, cotangent.double() * scale)
    assert_close(small.double(), exact, tolerance=1e-6 if dtype == torch.float32 else 1e-14)


def test_what_is_not_finite_shows_in_deterministic_sums(triton_device: str, deterministic: None) -> None:
    """So that a gradient scaler sees it; other images keep theirs."""
    image, matrix, cotangent = _inputs(triton_device)
    expected, _ = _slope(image, matrix, cotangent)
    cotangent[1, 0, 3, 3] = float("inf")
    gradient, _ = _slope(image, matrix, cotangent)
    assert not gradient[1].isfinite().any()
    assert torch.equal(gradient[0], expected[0])
    assert not _slope(image, matrix, torch.zeros_like(cotangent))[0].any()


@pytest.mark.parametrize("kernel", ["linear", "cubic"])
@pytest.mark.parametrize("size", [(9, 8), (5, 4, 6), (1, 7)], ids=["2-D", "3-D", "a row"])
def test_beyond_the_border_nothing_changes(size: tuple[int, ...], kernel: str, triton_device: str) -> None:
    """Exactly: a projective grid multiplies a rounding by its coordinates, which have no end."""
    image = torch.randn(1, 2, *size, device=triton_device)
    inside = torch.rand(1, *[8] * len(size), len(size), device=triton_device) - 0.5
    for axis in range(len(size)):
        points = inside.clone()
        points[..., axis] = torch.randn_like(points[..., axis]).sign() * (3 + 1e3 * inside[..., axis].abs())
        points.requires_grad_()
        output = stn.sample(image, points, kernel=kernel, padding="border", backend="triton")
        (gradient,) = torch.autograd.grad(output, points, torch.randn_like(output))
        assert not gradient[..., axis].any()
        assert all(
            gradient[..., other].any() for other in range(len(size)) if size[-1 - other] > 1 and other != axis
        )


def test_points_that_are_not_finite_poison_nothing(triton_device: str) -> None:
    image = torch.randn(1, 2, 5, 6, device=triton_device).requires_grad_()
    points = (torch.rand(1, 4, 7, 2, device=triton_device) * 2 - 1).requires_grad_()
    bad = points.detach().clone()
    bad[0, 1, 2, 0], bad[0, 3, 3, 1] = float("nan"), float("inf")
    where = bad.isfinite().all(-1)
    for padding in ("zeros", "border", "reflection", "circular"):
        results = []
        for values in (points.detach(), bad):
            leaf = values.clone().requires_grad_()
            output = stn.sample(image, leaf, padding=padding, backend="triton")
            results.append((output, *torch.autograd.grad((output * where[:, None]).sum(), [image, leaf])))
        (good, good_image, good_points), (output, grad_image, grad_points) = results
        assert not output[:, :, ~where[0]].any()
        assert torch.equal(output[:, :, where[0]], good[:, :, where[0]])
        assert_close(grad_image, good_image)
        assert torch.equal(grad_points[where], good_points[where])
        assert not grad_points[~where].any()
