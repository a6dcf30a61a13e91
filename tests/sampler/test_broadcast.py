"""One image with many grids, one grid with many images: repeated tensors are the oracle, and none is made."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from support.closeness import assert_close
from support.gradients import assert_gradients_agree
from support.points import random_points
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import torchstn as stn

pytestmark = pytest.mark.usefixtures("each_backend")

MANY = 5
KERNELS = ("nearest", "linear", "cubic", "lanczos3", "bspline3")


class Largest(TorchDispatchMode):
    """Remembers the largest tensor any operation returns."""

    numel = 0

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(value, Tensor) and value.untyped_storage().nbytes():
                # Of the memory, not of the shape: an expanded tensor costs nothing.
                self.numel = max(self.numel, value.untyped_storage().nbytes() // value.element_size())
        return result


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("padding", ["zeros", "reflection"])
@pytest.mark.parametrize("size", [(7,), (5, 6), (3, 4, 5)], ids=["1-D", "2-D", "3-D"])
@pytest.mark.parametrize(("images", "grids"), [(1, MANY), (MANY, 1)], ids=["one image", "one grid"])
def test_broadcasts_as_if_repeated(
    images: int, grids: int, size: tuple[int, ...], padding: str, kernel: str
) -> None:
    image = torch.randn(images, 2, *size, dtype=torch.float64)
    points = random_points(grids, [4] * len(size), size, False)

    def together(image: Tensor, points: Tensor) -> Tensor:
        return stn.sample(image, points, kernel=kernel, padding=padding)

    def one_by_one(image: Tensor, points: Tensor) -> Tensor:
        pairs = zip(image.expand(MANY, *image.shape[1:]), points.expand(MANY, *points.shape[1:]), strict=True)
        return torch.cat([together(one[None], where[None]) for one, where in pairs])

    zero = [1] if kernel == "nearest" else []
    assert_gradients_agree(together, one_by_one, [image, points], zero=zero)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("lazy", [False, True], ids=["points", "affine"])
def test_many_grids_never_copy_the_image(kernel: str, lazy: bool) -> None:
    image = torch.randn(1, 3, 64, 64, requires_grad=True)
    many, out = 50, (4, 4)
    theta = (torch.eye(2, 3).view(1, 6) + 0.1 * torch.randn(many, 6)).requires_grad_()
    with Largest() as seen:
        grid = stn.transform.Affine()(theta, out)
        output = stn.sample(image, grid if lazy else grid.points(), kernel=kernel)
        output.square().sum().backward()
    assert image.grad is not None
    assert image.grad.any()
    assert seen.numel <= max(image.numel(), output.numel())


@pytest.mark.parametrize("kernel", KERNELS)
def test_many_images_never_copy_the_grid(kernel: str) -> None:
    image = torch.randn(50, 1, 4, 4, requires_grad=True)
    points = torch.rand(1, 30, 30, 2, requires_grad=True)
    with Largest() as seen:
        output = stn.sample(image, points, kernel=kernel)
        output.square().sum().backward()
    # The product of every image with the weights of the one grid, never with two numbers a point.
    assert seen.numel <= output.numel()


def test_the_ruler_sees_a_copy() -> None:
    with Largest() as seen:
        torch.ones(1, 10).expand(7, 10)
    assert seen.numel == 10
    with Largest() as seen:
        torch.ones(1, 10).repeat(7, 1)
    assert seen.numel == 70
    shared = torch.ones(1, 10, requires_grad=True)
    with Largest() as seen:
        shared.expand(7, 10).gather(1, torch.zeros(7, 1, dtype=torch.long)).sum().backward()
    assert seen.numel == 70


@pytest.mark.parametrize("pair", [(2, 3), (0, 3), (3, 0)], ids=str)
def test_other_batches_are_refused(pair: tuple[int, int]) -> None:
    images, grids = pair
    message = f"`image` and `grid` must have the same batch size.*got {images} and {grids}"
    with pytest.raises(ValueError, match=message):
        stn.sample(torch.zeros(images, 1, 4, 4), torch.zeros(grids, 4, 4, 2))


def test_a_slice_of_the_many_is_the_one() -> None:
    image = torch.randn(1, 2, 6, 7, dtype=torch.float64)
    grid = stn.transform.Affine()(torch.randn(MANY, 6, dtype=torch.float64), (5, 4))
    assert_close(stn.sample(image, grid)[3:4], stn.sample(image, grid[3]))
