"""One grid of every kind, small enough for finite differences: what makes it, and parameters for it."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from support.points import random_pixels, to_normalised
from torch import Tensor

import torchstn as stn
from torchstn.grid import BasisGrid, DenseBasis, MatrixGrid, PointGrid, SplineBasis, ThinPlateBasis

SIZE, OUT = (4, 5), (2, 3)
KERNELS = pytest.mark.parametrize("kernel", ["linear", "cubic"])


def matrix_of(scale: float = 0.1, d: int = 2) -> Tensor:
    return (torch.eye(d, d + 1) * 0.9 + scale * torch.randn(1, d, d + 1)).double()


def projective(matrix: Tensor) -> MatrixGrid:
    last = torch.tensor([0.11, -0.07, 1.0], dtype=matrix.dtype).expand(1, 1, 3)
    return MatrixGrid(torch.cat([matrix, last], 1), size=OUT)


def offsets_of(count: int) -> Tensor:
    return 0.1 * torch.randn(1, count, 2, dtype=torch.float64)


VALUES = torch.randn(3, *OUT, dtype=torch.float64)
GRIDS: dict[str, tuple[Callable[..., Any], Callable[[], tuple[Tensor, ...]]]] = {
    "matrix": (lambda matrix: MatrixGrid(matrix, size=OUT), lambda: (matrix_of(),)),
    "projective": (projective, lambda: (matrix_of(),)),
    "dense": (
        lambda matrix, offsets: BasisGrid(matrix, offsets, DenseBasis(VALUES), size=OUT),
        lambda: (matrix_of(), offsets_of(3)),
    ),
    "thin plate": (
        lambda matrix, offsets: BasisGrid(matrix, offsets, ThinPlateBasis((2, 3)), size=OUT),
        lambda: (matrix_of(), offsets_of(6)),
    ),
    "free form": (
        lambda matrix, offsets: BasisGrid(matrix, offsets, SplineBasis((4, 5)), size=OUT),
        lambda: (matrix_of(), offsets_of(20)),
    ),
    "displacement": (PointGrid, lambda: (0.2 * torch.randn(1, *OUT, 2, dtype=torch.float64),)),
    "points": (
        lambda points: points,
        lambda: (to_normalised(random_pixels(1, OUT, SIZE, beyond=1.0), SIZE, False),),
    ),
    "learned basis": (
        lambda matrix, offsets, values: BasisGrid(matrix, offsets, DenseBasis(values), size=OUT),
        lambda: (matrix_of(), offsets_of(3), VALUES.clone()),
    ),
}
EVERY_GRID = pytest.mark.parametrize("grid", GRIDS)


def sampled(grid: str, kernel: str, padding: str = "reflection", **options: Any) -> Callable[..., Tensor]:
    make = GRIDS[grid][0]
    return lambda image, *parameters: stn.sample(
        image, make(*parameters), kernel=kernel, padding=padding, **options
    )


def inputs_of(grid: str) -> list[Tensor]:
    return [torch.randn(1, 2, *SIZE, dtype=torch.float64), *GRIDS[grid][1]()]


def leaves_of(grid: str) -> list[Tensor]:
    return [value.requires_grad_() for value in inputs_of(grid)]
