"""A convolution of a picture of few channels whose gradients do not cost more than all else."""

from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .banded_convolution import banded_convolution
from .precision import multiplies_matrices

_SIDE = 4
"""Pixels of a block: 4 x 4 of them are as many channels as the vectors of a CPU are long."""
_FOLDED = 3.6
"""Products of a convolution that take as long as one of a window, which has to be added to its pixel."""


class InputConvolution(nn.Conv2d):
    """A convolution for the first layer of a network, behind a transformer or not.

    A transformer needs the gradient of the picture. On a CPU torch takes eight times the forward pass for it,
    one channel at a time; here it is a convolution with a channel for each pixel of a 4 x 4 block or, where
    there are few windows, one product of matrices. In bfloat16, where the processor multiplies whole
    matrices of it, everything is a product of matrices, that without a transformer too: torch takes three to
    five times as long for the weights' gradient. Values, weights and gradients are those of nn.Conv2d, but
    for rounding.
    """

    def forward(self, image: Tensor) -> Tensor:
        if not image.is_cpu or not torch.is_grad_enabled() or torch.compiler.is_compiling():
            return super().forward(image)
        tensors = [image, *self.parameters()]
        if torch.is_autocast_enabled("cpu"):
            tensors = [tensor.to(torch.get_autocast_dtype("cpu")) for tensor in tensors]
        if tensors[0].dtype == torch.bfloat16 and multiplies_matrices():
            return banded_convolution(*tensors)
        if not image.requires_grad:
            return super().forward(image)
        output: Tensor = _Convolution.apply(*tensors)  # type: ignore[no-untyped-call]  # torch's own
        return output


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(image, weight)
        return F.conv2d(image, weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        image, weight = ctx.saved_tensors
        with torch.autocast("cpu", enabled=False):
            _, grad_weight, grad_bias = torch.ops.aten.convolution_backward(
                grad,
                image,
                weight,
                [len(weight)],
                [1, 1],
                [0, 0],
                [1, 1],
                False,
                [0, 0],
                1,
                [False, True, True],
            )
            return input_gradient(grad, weight, (image.shape[2], image.shape[3])), grad_weight, grad_bias


def input_gradient(grad: Tensor, weight: Tensor, size: tuple[int, int]) -> Tensor:
    """The gradient of a plain convolution with respect to its input.

    Args:
        grad: (n, filters, oh, ow), of the output.
        weight: (filters, channels, k, k).
        size: (h, w) of the input, oh + k - 1 and ow + k - 1.

    Returns:
        (n, channels, h, w).
    """
    k, (_, _, rows, columns) = weight.shape[2], grad.shape
    positions = prod(-(-side // _SIDE) for side in size)
    blocks, windows = positions * (_SIDE * (k + _SIDE - 1)) ** 2, rows * columns * k**2
    return _by_windows(grad, weight, size) if windows * _FOLDED < blocks else _by_blocks(grad, weight, size)


def _by_blocks(grad: Tensor, weight: Tensor, size: tuple[int, int]) -> Tensor:
    """The whole correlation with the filters turned round, all pixels of a block at once."""
    filters, channels, k, _ = weight.shape
    rows, columns = (-side % _SIDE for side in size)
    if rows or columns:
        grad = F.pad(grad, (0, columns, 0, rows))
    turned = weight.flip(2, 3).transpose(0, 1)
    blocks = weight.new_zeros(channels, _SIDE, _SIDE, filters, k + _SIDE - 1, k + _SIDE - 1)
    for i in range(_SIDE):
        for j in range(_SIDE):
            blocks[:, i, j, :, i : i + k, j : j + k] = turned
    grad = grad.contiguous(memory_format=torch.channels_last)
    pixels = F.conv2d(grad, blocks.flatten(0, 2), stride=_SIDE, padding=k - 1)
    return F.pixel_shuffle(pixels, _SIDE)[:, :, : size[0], : size[1]]


def _by_windows(grad: Tensor, weight: Tensor, size: tuple[int, int]) -> Tensor:
    """What each window gets, in one product, then added up where they overlap, along x and then along y."""
    filters, channels, k, _ = weight.shape
    n, _, rows, columns = grad.shape
    # The pictures last, so that each addition runs over many numbers that lie side by side; the filters of a
    # place stay together on the way there.
    places = grad.permute(2, 3, 0, 1).reshape(-1, filters)
    windows = weight.flatten(1).t() @ places.t()
    windows = windows.view(channels, k, k, rows, columns, n)
    dtype = torch.promote_types(grad.dtype, torch.float32)
    across = torch.zeros(channels, k, rows, size[1], n, dtype=dtype)
    for j in range(k):
        across[..., j : j + columns, :] += windows[:, :, j]
    image = torch.zeros(channels, *size, n, dtype=dtype)
    for i in range(k):
        image[:, i : i + rows] += across[:, i]
    return image.permute(3, 0, 1, 2).to(grad.dtype, memory_format=torch.contiguous_format)
