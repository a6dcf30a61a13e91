"""Points and pixels that are not finite harm nothing but themselves."""

import pytest
import torch
from support.closeness import assert_close
from support.points import random_points
from torch import Tensor

import torchstn as stn

pytestmark = pytest.mark.usefixtures("each_backend")

SIZE = (5, 6)
KERNELS = ("nearest", "linear", "cubic", "lanczos3", "bspline3")
PADDINGS = ("zeros", "border", "reflection", "circular", "fill")
BAD = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


def _sample(image: Tensor, points: Tensor, kernel: str, padding: str) -> Tensor:
    return stn.sample(image, points, kernel=kernel, padding=padding, fill=1.5 if padding == "fill" else 0.0)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("kernel", KERNELS)
def test_bad_points_read_the_constant_and_leave_the_rest_alone(kernel: str, padding: str, bad: str) -> None:
    image = torch.randn(3, 2, *SIZE, dtype=torch.float64)
    good = random_points(3, (4, 5), SIZE, False)
    mask = torch.zeros(3, 4, 5, dtype=torch.bool)
    mask[0], mask[2, 1, 3] = True, True
    points = good.clone()
    points[0, ..., 1] = BAD[bad]  # a whole sample, one coordinate
    points[2, 1, 3] = BAD[bad]

    image.requires_grad_()
    results = []
    for where in (points.requires_grad_(), good.requires_grad_()):
        output = _sample(image, where, kernel, padding)
        kept = torch.where(mask.unsqueeze(1), 0.0, output) if where is good else output
        cotangent = torch.linspace(-1, 2, output.numel(), dtype=torch.float64).view_as(output)
        gradients = torch.autograd.grad(
            kept, [image, where], cotangent, allow_unused=True, materialize_grads=True
        )
        results.append((output, *gradients))
    (output, image_gradient, point_gradient), (expected, image_expected, point_expected) = results

    constant = 1.5 if padding == "fill" else 0.0
    assert_close(output, torch.where(mask.unsqueeze(1), constant, expected))
    assert_close(image_gradient, image_expected)
    assert_close(point_gradient, torch.where(mask.unsqueeze(-1), 0.0, point_expected))
    assert not point_gradient[mask].any()


@pytest.mark.parametrize("kernel", ["linear", "cubic", "lanczos3", "bspline3"])
def test_a_bad_theta_gets_a_zero_gradient_and_spoils_no_other(kernel: str) -> None:
    image = torch.randn(1, 2, *SIZE)
    start = torch.eye(2, 3).view(1, 6).repeat(3, 1) + 0.1 * torch.randn(3, 6)
    theta = start.clone()
    theta[1, 4] = float("nan")
    theta.requires_grad_()
    output = stn.sample(image, stn.transform.Affine()(theta, SIZE), kernel=kernel)
    (gradient,) = torch.autograd.grad(output.square().sum(), theta)
    assert not output[1].any()
    assert not gradient[1].any()
    alone = start[[0, 2]].requires_grad_()
    (expected,) = torch.autograd.grad(
        stn.sample(image, stn.transform.Affine()(alone, SIZE), kernel=kernel).square().sum(), alone
    )
    assert_close(gradient[[0, 2]], expected)


@pytest.mark.parametrize("sign", [-1, 1], ids=["minus", "plus"])
@pytest.mark.parametrize("size", [1e9, 1e19, 1e30], ids=str)
@pytest.mark.parametrize("kernel", KERNELS)
def test_huge_points_read_what_the_padding_says(kernel: str, size: float, sign: int) -> None:
    image = torch.rand(1, 1, *SIZE) + 1
    points = torch.full((1, 1, 1, 2), sign * size, requires_grad=True)
    corner = image[..., -1, -1] if sign > 0 else image[..., 0, 0]
    expected = {"zeros": 0.0, "fill": 1.5, "border": float(corner)}
    for padding in PADDINGS:
        leaf = image.clone().requires_grad_()
        output = _sample(leaf, points, kernel, padding)
        gradients = torch.autograd.grad(
            output.sum(), [leaf, points], allow_unused=True, materialize_grads=True
        )
        assert all(gradient.isfinite().all() for gradient in gradients)
        if padding not in expected:
            # Somewhere in the image: too far out for float32 to say where.
            assert 0.2 < output.item() < 2.8
        elif kernel != "bspline3" or padding != "border":
            assert output.item() == pytest.approx(expected[padding], abs=1e-6)


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(
    ("kernel", "reach"), [("nearest", 0.5), ("linear", 1), ("cubic", 2), ("lanczos3", 3)]
)
def test_a_bad_pixel_is_seen_within_the_kernels_reach_only(
    kernel: str, reach: float, padding: str, value: str
) -> None:
    image = torch.randn(1, 1, 1, 20, dtype=torch.float64)
    image[..., 9] = BAD[value]
    x = torch.arange(10, dtype=torch.float64) + 5.3
    points = torch.stack([(2 * x + 1) / 20 - 1, torch.zeros_like(x)], -1).view(1, 1, -1, 2).requires_grad_()
    leaf = image.clone().requires_grad_()
    output = _sample(leaf, points, kernel, padding)
    seen = (x - 9).abs() < reach
    assert torch.equal(output.flatten().isfinite(), ~seen)
    image_gradient, point_gradient = torch.autograd.grad(
        output.flatten()[~seen].sum(), [leaf, points], allow_unused=True, materialize_grads=True
    )
    assert image_gradient.isfinite().all()
    assert point_gradient.flatten(0, 2)[~seen].isfinite().all()


@pytest.mark.parametrize("kernel", ["linear", "cubic", "lanczos3"])
def test_a_bad_point_has_no_gradient_in_a_bad_image_either(kernel: str) -> None:
    image = torch.full((1, 1, *SIZE), float("inf"), requires_grad=True)
    points = torch.tensor([0.1, float("nan")]).view(1, 1, 1, 2).requires_grad_()
    output = stn.sample(image, points, kernel=kernel)
    gradients = torch.autograd.grad(output.sum(), [image, points])
    assert output.item() == 0
    assert not any(gradient.any() for gradient in gradients)
