"""A convolution of few channels as products of matrices, for processors that are quickest at those."""

from math import log
from typing import Any

import torch
from torch import Tensor

_QUICK = 13
"""Output columns of a tile at best: fewer leave the products small, more fill the band with zeros."""


def banded_convolution(image: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """What F.conv2d gives without stride or padding, and its gradients, from products with one band matrix.

    A tile is some columns of an output row, all filters of each. It is the product of the input rows below it
    with a matrix that holds each filter once per column, one further along each time. Most of that matrix is
    zeros: by how much more there is to multiply, the processor must be quicker at products than at
    convolutions, as one is that multiplies bfloat16 by tiles of registers (AMX).

    Args:
        image: (n, c, h, w).
        weight: (filters, c, k, k), of the image's type.
        bias: (filters,), or None.

    Returns:
        (n, filters, h - k + 1, w - k + 1), channels last.
    """
    output: Tensor = _Banded.apply(image, weight, bias)  # type: ignore[no-untyped-call]  # torch's own
    return output


class _Banded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        (n, _, *size), (filters, _, k, _) = image.shape, weight.shape
        rows, columns = (side - k + 1 for side in size)
        tile = tile_of(columns)
        windows, band = _windows(image, k, tile), _band(weight, tile)
        ctx.save_for_backward(windows, weight)
        ctx.tile, ctx.biased = tile, bias is not None
        with torch.autocast("cpu", enabled=False):
            tiles = windows @ band.t() if bias is None else torch.addmm(bias.repeat(tile), windows, band.t())
        return tiles.view(n, rows, columns, filters).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None]:
        windows, weight = ctx.saved_tensors
        filters, channels, k, _ = weight.shape
        tiles = grad.permute(0, 2, 3, 1).reshape(-1, ctx.tile * filters)
        with torch.autocast("cpu", enabled=False):
            image = _image_gradient(grad.shape, tiles, weight, ctx.tile) if ctx.needs_input_grad[0] else None
            products = (tiles.t() @ windows).view(ctx.tile, filters, channels, k, -1)
            # By column first: torch adds up short rows, as those of the filters, a number at a time.
            bias = tiles.sum(0).view(ctx.tile, filters).sum(0) if ctx.biased else None
        return image, _diagonals(products).sum(0), bias


def tile_of(columns: int) -> int:
    """How many output columns a tile has: the divisor of their number nearest to the best by ratio."""
    divisors = (tile for tile in range(1, columns + 1) if columns % tile == 0)
    return min(divisors, key=lambda tile: abs(log(tile / _QUICK)))


def _windows(image: Tensor, k: int, tile: int) -> Tensor:
    """(n rows tiles, c k (tile + k - 1)), what of the image each tile is made from."""
    windows = image.unfold(2, k, 1).unfold(3, tile + k - 1, tile)  # [n, c, rows, tiles, k, tile + k - 1]
    return windows.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(0, 2)


def _band(weight: Tensor, tile: int) -> Tensor:
    """(tile filters, c k (tile + k - 1)), the matrix that makes a tile of its windows."""
    filters, channels, k, _ = weight.shape
    band = weight.new_zeros(tile, filters, channels, k, tile + k - 1)
    _diagonals(band).copy_(weight)
    return band.flatten(2).flatten(0, 1)


def _diagonals(band: Tensor) -> Tensor:
    """(tile, filters, c, k, k), a view of where in (tile, filters, c, k, tile + k - 1) the filters stand."""
    tile, filters, channels, k, _ = band.shape
    further, *strides = band.stride()
    return band.as_strided((tile, filters, channels, k, k), (further + strides[-1], *strides))


def _image_gradient(shape: torch.Size, tiles: Tensor, weight: Tensor, tile: int) -> Tensor:
    """(n, c, h, w): the windows' gradients, added up where they overlap, along y and then along x."""
    (n, _, rows, columns), (_, channels, k, _) = shape, weight.shape
    windows = (tiles @ _band(weight, tile)).view(n, rows, columns // tile, channels, k, -1)
    dtype = torch.promote_types(weight.dtype, torch.float32)
    down = torch.zeros(n, rows + k - 1, *windows.shape[2:4], tile + k - 1, dtype=dtype)
    for i in range(k):
        down[:, i : i + rows] += windows[..., i, :]
    image = torch.zeros(n, channels, rows + k - 1, columns + k - 1, dtype=dtype)
    for i, columns_of_tile in enumerate(down.permute(2, 0, 3, 1, 4)):
        image[..., i * tile : (i + 1) * tile + k - 1] += columns_of_tile
    return image.to(weight.dtype)
