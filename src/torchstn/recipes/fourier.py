"""Discrete Fourier transforms of many small pictures at once, as products of matrices."""

from functools import lru_cache
from math import pi

import torch
from torch import Tensor

Size = tuple[int, int]


def spectrum(pixels: Tensor, size: Size) -> Tensor:
    """The Fourier coefficients of pictures.

    Args:
        pixels: (h, w, *rest), real, the pictures' other axes behind their pixels.
        size: Period (rows, columns); what pictures lack of it is zero.

    Returns:
        (2, rows * (columns // 2 + 1), *rest), real and imaginary parts; the other half of the columns is
        their conjugate.
    """
    h, w, *rest = pixels.shape
    along_rows, along_columns = (matrix.to(pixels.dtype) for matrix in _matrices(size))
    by_row = along_rows[:, :, :w].flatten(0, 1) @ pixels.flatten(2)
    both = along_columns[:, :, :, :h].permute(0, 1, 3, 2).flatten(2).flatten(0, 1) @ by_row.view(2 * h, -1)
    return both.view(2, -1, *rest)


def pixels_of(coefficients: Tensor, size: Size, window: Size, start: int) -> Tensor:
    """A window of the pictures that have these coefficients; the inverse of `spectrum`.

    Args:
        coefficients: (2, rows * (columns // 2 + 1), *rest).
        size: Period (rows, columns).
        window: (h, w) of what is wanted.
        start: Row and column at which it begins; pictures are periodic.

    Returns:
        (h, w, *rest).
    """
    (h, w), rest = window, coefficients.shape[2:]
    along_rows, along_columns = (matrix.to(coefficients.dtype) for matrix in _matrices(size))
    down = (start + torch.arange(h)) % size[0]
    right = (start + torch.arange(w)) % size[1]
    back = along_columns[..., down].permute(3, 2, 0, 1).reshape(2 * h, -1)
    by_row = (back @ coefficients.reshape(back.shape[1], -1)).view(h, along_rows[:, :, 0].numel(), -1)
    # Each column but the first, and the middle one of an even number, also stands for its conjugate.
    stands_for = torch.full((along_rows.shape[1], 1), 2.0, dtype=along_rows.dtype)
    stands_for[0] = 1
    if size[1] % 2 == 0:
        stands_for[-1] = 1
    weighted = along_rows[..., right] * stands_for / (size[0] * size[1])
    return (weighted.flatten(0, 1).t() @ by_row).view(h, w, *rest)


@lru_cache(maxsize=64)
def _matrices(size: Size) -> tuple[Tensor, Tensor]:
    """exp(-i x y): along rows (part, frequency, column), along columns (part, frequency, part, row)."""
    rows, columns = size
    angle = 2 * pi / columns * _products(columns // 2 + 1, columns)
    along_rows = torch.stack([angle.cos(), -angle.sin()])
    angle = 2 * pi / rows * _products(rows, rows)
    real, imaginary = angle.cos(), -angle.sin()
    along_columns = torch.stack([torch.stack([real, -imaginary], 1), torch.stack([imaginary, real], 1)])
    return along_rows, along_columns


def _products(rows: int, columns: int) -> Tensor:
    return torch.outer(torch.arange(rows), torch.arange(columns)).double()
