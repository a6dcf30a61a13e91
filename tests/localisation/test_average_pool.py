"""Average pooling beside torch's own."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from torchstn.localisation.average_pool import average_pool

POOLS = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
SIZES = [(7,), (8, 12), (13, 10), (1, 9), (9, 11, 7), (6, 6, 6)]


@pytest.mark.parametrize(
    ("size", "factor"), [(size, factor) for size in SIZES for factor in (1, 2, 3, 5) if factor <= min(size)]
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_is_what_torch_gives(size: tuple[int, ...], factor: int, dtype: torch.dtype) -> None:
    image = torch.randn(3, 2, *size, dtype=torch.float64).to(dtype)
    exact = image.float() if dtype.itemsize == 2 else image  # torch has no pooling of halves in 3-D
    assert_close(average_pool(image, factor), POOLS[len(size)](exact, factor).to(dtype))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_gradients_are_those_of_torch(size: tuple[int, ...]) -> None:
    factor = min(2, *size)
    image = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    wanted = POOLS[len(size)](image, factor)
    weights = torch.randn_like(wanted)
    (ours,) = torch.autograd.grad(average_pool(image, factor), image, weights)
    (theirs,) = torch.autograd.grad(wanted, image, weights)
    assert_close(ours, theirs)
    assert torch.autograd.gradgradcheck(lambda image: average_pool(image, factor) ** 2, image)


@pytest.mark.parametrize("layout", ["contiguous", "channels_last", "expanded", "transposed"])
def test_reads_any_layout(layout: str) -> None:
    image = torch.randn(4, 3, 10, 14)
    image = {
        "contiguous": image,
        "channels_last": image.to(memory_format=torch.channels_last),
        "expanded": image[:1].expand(4, -1, -1, -1),
        "transposed": image.mT,
    }[layout]
    assert_close(average_pool(image, 2), F.avg_pool2d(image, 2))


def test_one_bad_pixel_stays_in_its_block() -> None:
    image = torch.ones(1, 1, 6, 6)
    image[0, 0, 3, 2] = torch.nan
    found = average_pool(image, 2)
    assert found.isnan().nonzero().tolist() == [[0, 0, 1, 1]]
