"""Memory layout of what goes in and comes out, and empty batches."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.closeness import assert_close
from support.points import random_points
from torch import Tensor

import torchstn as stn

pytestmark = pytest.mark.usefixtures("each_backend")

FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}
KERNELS = ("nearest", "linear", "cubic", "lanczos3", "bspline3")


def _case(size: tuple[int, ...], batch: int = 2, grids: int | None = None) -> tuple[Tensor, Tensor]:
    image = torch.randn(batch, 3, *size, dtype=torch.float64)
    return image, random_points(batch if grids is None else grids, [4] * len(size), size, False)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("size", [(5, 6), (3, 4, 5)], ids=["2-D", "3-D"])
@pytest.mark.parametrize(("batch", "grids"), [(2, 2), (2, 1), (1, 2)], ids=["pairs", "one grid", "one image"])
def test_channels_last_in_channels_last_out(
    size: tuple[int, ...], kernel: str, batch: int, grids: int
) -> None:
    image, points = _case(size, batch, grids)
    layout = FORMATS[image.ndim]
    expected = stn.sample(image, points, kernel=kernel)
    output = stn.sample(image.contiguous(memory_format=layout), points, kernel=kernel)
    assert expected.is_contiguous()
    assert output.is_contiguous(memory_format=layout)
    assert not output.is_contiguous()
    assert_close(output, expected)


@pytest.mark.parametrize("size", [(5, 6), (3, 4, 5)], ids=["2-D", "3-D"])
def test_the_gradient_of_a_channels_last_image_is_that_of_any(size: tuple[int, ...]) -> None:
    image, points = _case(size)
    gradients = []
    for laid_out in (image, image.contiguous(memory_format=FORMATS[image.ndim])):
        leaf = laid_out.detach().requires_grad_()
        where = points.clone().requires_grad_()
        gradients.append(torch.autograd.grad(stn.sample(leaf, where).square().sum(), [leaf, where]))
    for expected, actual in zip(*gradients, strict=True):
        assert_close(actual, expected)


@settings(max_examples=40)
@given(
    kernel=st.sampled_from(KERNELS),
    padding=st.sampled_from(["zeros", "border", "reflection", "circular", "fill"]),
    size=st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple),
    order=st.randoms(use_true_random=False),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_strides_do_not_matter(kernel, padding, size, order, dtype) -> None:
    image, points = (value.to(dtype) for value in _case(size))
    expected = stn.sample(image, points, kernel=kernel, padding=padding)
    shuffled = [_with_shuffled_strides(value, order) for value in (image, points)]
    assert_close(stn.sample(*shuffled, kernel=kernel, padding=padding), expected)


def _with_shuffled_strides(value: Tensor, order) -> Tensor:
    axes = list(range(value.ndim))
    order.shuffle(axes)
    return value.permute(axes).contiguous().permute([axes.index(axis) for axis in range(value.ndim)])


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("images", "grids"), [(0, 0), (0, 1), (1, 0)], ids=["both", "images", "grids"])
@pytest.mark.parametrize("size", [(5,), (5, 6), (3, 4, 5)], ids=["1-D", "2-D", "3-D"])
def test_an_empty_batch_gives_an_empty_output(
    size: tuple[int, ...], images: int, grids: int, kernel: str
) -> None:
    image = torch.randn(images, 2, *size, requires_grad=True)
    points = torch.randn(grids, *[3] * len(size), len(size), requires_grad=True)
    output, mask = stn.sample(image, points, kernel=kernel, return_mask=True)
    assert output.shape == (0, 2, *[3] * len(size))
    assert mask.shape == (0, 1, *[3] * len(size))
    gradients = torch.autograd.grad(output.sum(), [image, points], allow_unused=True, materialize_grads=True)
    assert not any(gradient.any() for gradient in gradients)


def test_no_channels_give_no_channels() -> None:
    image, points = _case((5, 6))
    assert stn.sample(image[:, :0], points).shape == (2, 0, 4, 4)


@pytest.mark.parametrize("kernel", KERNELS)
def test_repeated_runs_give_the_same_bits(kernel: str) -> None:
    image, points = (value.float() for value in _case((15, 16), 3))
    runs = []
    for _ in range(2):
        leaves = [image.clone().requires_grad_(), points.clone().requires_grad_()]
        output = stn.sample(*leaves, kernel=kernel, padding="reflection")
        gradients = torch.autograd.grad(
            output.square().sum(), leaves, allow_unused=True, materialize_grads=True
        )
        runs.append([output, *gradients])
    assert all(torch.equal(first, second) for first, second in zip(*runs, strict=True))
