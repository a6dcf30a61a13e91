"""What lies outside: images padded by numpy and torch are the oracles; and the mask of what lay inside."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from support.closeness import assert_close
from support.gradients import assert_gradients_agree
from support.points import every_pixel, random_pixels, to_normalised
from torch import Tensor
from torch.nn import functional as F

import torchstn as stn

pytestmark = pytest.mark.usefixtures("each_backend")

SIZE = (5, 8)
REACH = 14
MODES = {"linear": "bilinear", "cubic": "bicubic", "nearest": "nearest"}


def _on_larger(pixels: Tensor, reach: int) -> Tensor:
    """The same places as points of the image padded by `reach` on every side."""
    return to_normalised(pixels + reach, [length + 2 * reach for length in SIZE], False)


def _pixels() -> Tensor:
    return random_pixels(2, (9, 10), SIZE, beyond=REACH - 3)


@pytest.mark.parametrize("kernel", MODES)
def test_circular_is_the_image_repeated(kernel: str) -> None:
    pixels = _pixels()

    def ours(image: Tensor) -> Tensor:
        return stn.sample(image, to_normalised(pixels, SIZE, False), kernel=kernel, padding="circular")

    def theirs(image: Tensor) -> Tensor:
        rows, columns = (torch.arange(-REACH, length + REACH) % length for length in SIZE)
        repeated = image[:, :, rows][..., columns]
        return F.grid_sample(repeated, _on_larger(pixels, REACH), MODES[kernel], align_corners=False)

    assert_gradients_agree(ours, theirs, [torch.randn(2, 3, *SIZE, dtype=torch.float64)])


@pytest.mark.parametrize("kernel", ["nearest", "linear", "cubic", "lanczos3", "bspline3"])
@pytest.mark.parametrize("shift", [(0, 3), (2, -5), (-11, 70)], ids=str)
def test_circular_shifts_by_whole_pixels_as_numpy_rolls(kernel: str, shift: tuple[int, int]) -> None:
    image = torch.randn(2, 3, *SIZE, dtype=torch.float64)
    pixels = every_pixel(SIZE) + torch.tensor(shift[::-1], dtype=torch.float64)
    points = to_normalised(pixels + 1e-13 * (kernel == "nearest"), SIZE, False)
    output = stn.sample(image, points, kernel=kernel, padding="circular")
    expected = np.roll(image.numpy(), [-steps for steps in shift], axis=(2, 3))
    assert_close(output, expected)


@pytest.mark.parametrize("kernel", MODES)
@pytest.mark.parametrize("kind", ["number", "list", "tuple", "tensor", "scalar tensor"])
def test_fill_is_the_image_in_a_frame(kernel: str, kind: str) -> None:
    per_channel = [0.1, -2.3, 3.7] if kind in ("list", "tuple", "tensor") else [0.1] * 3
    fill = {
        "number": 0.1,
        "list": per_channel,
        "tuple": tuple(per_channel),
        "tensor": torch.tensor(per_channel, dtype=torch.float64),
        "scalar tensor": torch.tensor(0.1, dtype=torch.float64),
    }[kind]
    pixels = _pixels()

    def ours(image: Tensor, points: Tensor) -> Tensor:
        return stn.sample(image, points, kernel=kernel, padding="fill", fill=fill)

    def theirs(image: Tensor, points: Tensor) -> Tensor:
        frames = [F.pad(image[:, c], [REACH] * 4, value=per_channel[c]) for c in range(3)]
        share = torch.tensor([length / (length + 2 * REACH) for length in SIZE[::-1]], dtype=torch.float64)
        return F.grid_sample(torch.stack(frames, 1), points * share, MODES[kernel], align_corners=False)

    inputs = [torch.randn(2, 3, *SIZE, dtype=torch.float64), to_normalised(pixels, SIZE, False)]
    assert_gradients_agree(ours, theirs, inputs, tolerance=1e-11, zero=[1] if kernel == "nearest" else [])


@pytest.mark.parametrize("kernel", ["linear", "bspline3"])
def test_fill_may_be_learned(kernel: str) -> None:
    image, points = torch.randn(1, 3, *SIZE, dtype=torch.float64), to_normalised(_pixels(), SIZE, False)
    points = points[:1, :2, :4]
    fill = torch.randn(3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda value: stn.sample(image, points, kernel=kernel, padding="fill", fill=value), (fill,)
    )


def test_fill_of_zero_is_zeros() -> None:
    image, points = torch.randn(2, 3, *SIZE), to_normalised(_pixels(), SIZE, False).float()
    assert torch.equal(stn.sample(image, points, padding="fill", fill=0), stn.sample(image, points))


@pytest.mark.parametrize("align_corners", [False, True], ids=["edges", "centres"])
@pytest.mark.parametrize("size", [(9,), (5, 8), (3, 4, 5)], ids=["1-D", "2-D", "3-D"])
def test_the_mask_is_what_lies_within_minus_one_and_one(size: Sequence[int], align_corners: bool) -> None:
    image = torch.randn(2, 3, *size)
    points = torch.randn(2, *[6] * len(size), len(size))
    points[0, 0] = float("nan")
    output, mask = stn.sample(image, points, padding="border", align_corners=align_corners, return_mask=True)
    assert_close(output, stn.sample(image, points, padding="border", align_corners=align_corners))
    assert_close(mask, (points.abs() <= 1).all(-1).unsqueeze(1))
    assert mask.any()
    assert not mask.all()


def test_the_mask_of_one_grid_goes_with_every_image() -> None:
    grid = stn.transform.Affine()(torch.eye(2, 3).view(1, 6) * 1.4, (6, 7))
    output, mask = stn.sample(torch.randn(3, 2, 6, 7), grid, return_mask=True)
    assert output.shape == (3, 2, 6, 7)
    assert mask.shape == (3, 1, 6, 7)
    assert_close(mask.double().mean((1, 2, 3)), grid.coverage().double().expand(3), tolerance=1e-6)


def test_the_edge_itself_is_inside() -> None:
    image = torch.ones(1, 1, 4, 4)
    edge = torch.tensor([-1.0, 1.0, -1.0001, 1.0001]).view(1, 4, 1, 1).expand(1, 4, 1, 2)
    for align_corners in (False, True):
        _, mask = stn.sample(image, edge, align_corners=align_corners, return_mask=True)
        assert mask.flatten().tolist() == [True, True, False, False]


def test_nothing_is_learnt_of_a_border_pixel_however_far_the_point() -> None:
    """Both taps are the one pixel: not even a rounding is left, which a projective grid would enlarge."""
    image = torch.randn(1, 3, 9, 3)
    points = torch.tensor([[[[300.3, 0.1], [0.1, -7e4], [-41.7, 55.3]]]], requires_grad=True)
    output = stn.sample(image, points, padding="border")
    (gradient,) = torch.autograd.grad(output.sum(), points)
    outside = points.detach().abs() > 2
    assert gradient[outside].abs().max() == 0
    assert gradient[~outside].abs().min() > 0
