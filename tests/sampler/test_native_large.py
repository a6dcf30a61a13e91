"""More than 2^31 elements: indices must not wrap. A sparse file stands for memory that is hardly touched."""

from math import prod
from pathlib import Path

import pytest
import torch
from support.closeness import assert_close
from torch import Tensor

import torchstn as stn
from torchstn.grid import MatrixGrid

pytestmark = pytest.mark.usefixtures("compiled")

SIDE = 46_400  # its square is more than 2^31
CROP, MARGIN = 8, 4
SHAPES = {
    "plane": (1, 1, SIDE, SIDE),
    "channels": (1, 22, 10_000, 10_000),
    "batch": (22, 1, 10_000, 10_000),
    "channels last": (1, SIDE // 16, SIDE // 4, 64),
    "volume": (1, 1, 1300, 1300, 1300),
}


def _mapped(folder: Path, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Numbers that are zero until written, and take no room until then."""
    path = folder / "memory"
    path.touch()
    memory = torch.from_file(str(path), shared=True, size=prod(shape), dtype=dtype).view(shape)
    path.unlink()
    return memory


def _reader(input_size: tuple[int, ...], first: list[float]) -> Tensor:
    """The matrix that reads CROP pixels an axis, pixel for pixel from `first` on, array order."""
    d = len(input_size)
    matrix = torch.zeros(1, d, d + 1, dtype=torch.float64)
    for row, (inputs, start) in enumerate(zip(input_size[::-1], first[::-1], strict=True)):
        matrix[0, row, row] = CROP / inputs
        matrix[0, row, d] = (2 * start + CROP) / inputs - 1
    return matrix


@pytest.mark.parametrize("kernel", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32], ids=str)
@pytest.mark.parametrize("layout", SHAPES)
def test_reads_beyond_two_to_the_31(layout: str, dtype: torch.dtype, kernel: str, tmp_path: Path) -> None:
    """The far corner of the last image and channel; a copy of it alone is what the reference reads."""
    image = _mapped(tmp_path, SHAPES[layout], dtype)
    if layout == "channels last":
        image = image.permute(0, 3, 1, 2)
    assert image.numel() > 2**31
    size, corner = tuple(image.shape[2:]), [slice(-CROP - MARGIN, None)] * (image.ndim - 2)
    patch = image[-1:, -1:, *corner]
    patch.copy_(torch.randint(0, 256, patch.shape))
    near = patch.clone()
    shift = 0.0 if kernel == "nearest" else 0.3
    far = _reader(size, [length - CROP + shift for length in size]).requires_grad_()
    here = _reader(tuple(near.shape[2:]), [MARGIN + shift] * len(size)).requires_grad_()
    results = []
    for source, matrix, backend in ((image, far, "native"), (near, here, "reference")):
        grid = MatrixGrid(matrix, size=(CROP,) * len(size))
        results.append(
            stn.sample(source, grid, kernel=kernel, padding="border", backend=backend)[-1:, -1:]  # type: ignore[call-overload]
        )
    actual, expected = results
    assert expected.any()
    if kernel == "nearest":
        assert torch.equal(actual, expected)
        return
    # The coordinates are of the size of the image, and so are their roundings.
    assert (actual.double() - expected.double()).abs().max() <= (1 if dtype == torch.uint8 else 1e-5 * 256)
    if dtype == torch.float32:
        slopes = [
            torch.autograd.grad(value.sum(), matrix)[0]
            for value, matrix in zip(results, (far, here), strict=True)
        ]
        per_pixel = [
            slope[0, :, -1] / torch.tensor(sizes[::-1])
            for slope, sizes in zip(slopes, (size, near.shape[2:]), strict=True)
        ]
        assert_close(per_pixel[0], per_pixel[1], tolerance=1e-4)


@pytest.mark.slow
def test_writes_beyond_two_to_the_31(compiled: object, tmp_path: Path) -> None:
    """An output of that many points, two thousand megabytes; its corners say whether an index wrapped."""
    from torchstn.sampler.native import extension

    image = torch.arange(1, 26, dtype=torch.uint8).view(1, 1, 5, 5)
    size = (2**11 + 3, 2**20)
    output = _mapped(tmp_path, (1, 1, *size), torch.uint8)
    matrix = torch.eye(2, 3)[None]
    extension.loaded().forward(image, output, 0, (matrix,), size, False, 0, 1, None, 2)
    corners = output[0, 0][[0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.tolist() == [1, 5, 21, 25]
    whole = torch.arange(5).repeat_interleave(2**20 // 5 + 1)
    assert set(output[0, 0, -1, :: 2**10].tolist()) == set((whole + 21).tolist())
