"""Reading an image at integer taps: sums over a tensor product of (index, weight) pairs.

The sampler and the interpolation of displacement fields both stand on this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Tap:
    """One neighbour along one axis, for every output point.

    Attributes:
        index: (n, *out), int64, inside the image.
        weight: (n, *out), or None for exactly one (any image type can then be read).
        inside: (n, *out), bool, or None where no index had to be replaced by a constant.
    """

    index: Tensor
    weight: Tensor | None
    inside: Tensor | None = None


def weighted_sum(image: Tensor, axes: Sequence[Sequence[Tap]], outside: Tensor | float = 0.0) -> Tensor:
    """Sums image values times weights over the tensor product of the axes' taps.

    Args:
        image: (n or 1, c, *size).
        axes: Taps of each axis, in array order; their tensors are (n or 1, *out).
        outside: What a tap that is not inside is worth: a number, or one per channel (c,).

    Returns:
        (n, c, *out), in the type the products promote to.
    """
    out = axes[0][0].index.shape[1:]
    flat = image.flatten(2)
    if isinstance(outside, Tensor):
        outside = outside.view(1, -1, *([1] * len(out)))
    total: Tensor | None = None
    for taps in product(*axes):
        value = _gather(flat, _flat_index(taps, image.shape[2:]))
        inside = _all_inside(taps)
        if inside is not None:
            value = torch.where(inside.unsqueeze(1), value, outside)
        weights = [tap.weight for tap in taps if tap.weight is not None]
        if weights:
            value = value * reduce(torch.mul, weights).unsqueeze(1)
        total = value if total is None else total + value
    assert total is not None
    return total


def _flat_index(taps: Sequence[Tap], size: Sequence[int]) -> Tensor:
    index = taps[0].index
    for tap, length in zip(taps[1:], size[1:], strict=True):
        index = index * length + tap.index
    return index


def _all_inside(taps: Sequence[Tap]) -> Tensor | None:
    masks = [tap.inside for tap in taps if tap.inside is not None]
    return reduce(torch.logical_and, masks) if masks else None


def _gather(flat: Tensor, index: Tensor) -> Tensor:
    """Values of `flat` (b, c, s) at `index` (n, *out), as (n, c, *out); b or n may be 1.

    A shared image or a shared grid is never expanded: the backward pass of an expanded gather would write one
    whole image per grid.
    """
    batch, channels, _ = flat.shape
    count, out = index.shape[0], index.shape[1:]
    if count == 1:
        return flat.index_select(2, index.flatten()).view(batch, channels, *out)
    if batch == 1:
        values = flat[0].index_select(1, index.flatten())
        return values.view(channels, count, *out).transpose(0, 1)
    index = index.flatten(1).unsqueeze(1).expand(-1, channels, -1)
    return flat.gather(2, index).view(batch, channels, *out)
