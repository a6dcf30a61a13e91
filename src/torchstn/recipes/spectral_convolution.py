"""A convolution as a product of Fourier coefficients, for a CPU."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .fourier import pixels_of, spectrum

_WORTH = 1.3
"""How many times fewer products it must be; small matrices are slow, and pixels go to the front and back."""


def spectral_convolution(image: Tensor, weight: Tensor, bias: Tensor | None, padding: int) -> Tensor:
    """`torch.nn.functional.conv2d` without stride, dilation or groups, by the convolution theorem.

    All that is computed are products of large matrices, forward and backward: one for each coefficient of the
    pictures' Fourier series, of pictures and filters. Gradients are those of conv2d but for rounding, and
    cannot be differentiated again.

    Args:
        image: (n, channels, h, w).
        weight: (filters, channels, k, k).
        bias: (filters,).
        padding: Zeros around the image, fewer than k.

    Returns:
        (n, filters, h + 2 padding - k + 1, w + 2 padding - k + 1).
    """
    arguments = (image, weight, bias, padding)
    output: Tensor = _Convolution.apply(*arguments)  # type: ignore[no-untyped-call]  # torch's own
    return output


def is_worthwhile(image: Tensor, weight: Tensor, padding: int) -> bool:
    """Whether the coefficients take fewer products than the windows."""
    filters, channels, k, _ = weight.shape
    rows, columns = (side + padding for side in image.shape[2:])
    half = columns // 2 + 1
    coefficients = 4 * rows * half * filters * channels
    transforms = (filters + channels) * (2 * rows * half * columns + 4 * rows * rows * half)
    windows = (rows + padding - k + 1) * (columns + padding - k + 1) * weight.numel()
    return (coefficients + transforms) * _WORTH < windows


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, weight: Tensor, bias: Tensor | None, padding: int) -> Tensor:
        k = weight.shape[2]
        # A border of zeros is shared by the two ends that it lies between.
        size = (image.shape[2] + padding, image.shape[3] + padding)
        window = (size[0] + padding - k + 1, size[1] + padding - k + 1)
        pictures, filters = (spectrum(_pixels_first(tensor), size) for tensor in (image, weight))
        ctx.save_for_backward(pictures, filters)
        ctx.size, ctx.sides, ctx.k, ctx.padding = size, tuple(image.shape[2:]), k, padding
        output = pixels_of(_times(pictures, filters.mT, of_b=-1), size, window, -padding)
        return _pixels_last(output if bias is None else output.add_(bias))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        pictures, filters = ctx.saved_tensors
        of_image = of_weight = None
        first = _pixels_first(grad)
        coefficients = spectrum(first, ctx.size)
        if ctx.needs_input_grad[0]:
            products = _times(coefficients, filters)
            of_image = _pixels_last(pixels_of(products, ctx.size, ctx.sides, ctx.padding))
        if ctx.needs_input_grad[1]:
            products = _times(coefficients.mT, pictures, of_a=-1)
            of_weight = _pixels_last(pixels_of(products, ctx.size, (ctx.k, ctx.k), -ctx.padding))
        of_bias = first.sum((0, 1, 2)) if ctx.needs_input_grad[2] else None
        return of_image, of_weight, of_bias, None


def _times(a: Tensor, b: Tensor, *, of_a: int = 1, of_b: int = 1) -> Tensor:
    """Products of complex matrices, (2, f, i, j) by (2, f, j, k); a sign of -1 takes the conjugate."""
    product = a.new_empty(2, *a.shape[1:3], b.shape[3])
    torch.bmm(a[0], b[0], out=product[0])
    product[0].baddbmm_(a[1], b[1], alpha=-of_a * of_b)
    torch.bmm(a[1], b[0], out=product[1])
    product[1].baddbmm_(a[0], b[1], beta=of_a, alpha=of_b)
    return product


def _pixels_first(pictures: Tensor) -> Tensor:
    return pictures.permute(2, 3, 0, 1).contiguous()


def _pixels_last(pictures: Tensor) -> Tensor:
    return pictures.permute(2, 3, 0, 1).contiguous(memory_format=torch.channels_last)
