"""Average pooling without overlap, which the localisation networks begin with."""

import torch
import torch.nn.functional as F
from torch import Tensor

_POOLS = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def average_pool(image: Tensor, factor: int) -> Tensor:
    """Means over blocks of `factor` pixels along every axis, as `torch.nn.functional.avg_pool2d` gives.

    What does not fill a block at the far end of an axis is left out. On a CPU it adds slices, an axis after
    the other: torch's pooling takes two to six times as long, and has none of halves in three dimensions.

    Args:
        image: (n, c, *size) with one to three axes in `size`.
        factor: Width of a block in pixels; also from one to the next.
    """
    axes = range(2, image.ndim)
    if not image.is_cpu:
        return _POOLS[len(axes)](image, factor)
    # Halves would be rounded at every axis.
    summed = image.float() if image.dtype in (torch.bfloat16, torch.float16) else image
    for axis in axes:
        blocks = summed.shape[axis] // factor
        # Backward, unbind writes the gradient once; slices with a step would write zeros for each.
        filled = summed.narrow(axis, 0, blocks * factor).unflatten(axis, (blocks, factor))
        first, *others = filled.unbind(axis + 1)
        summed = sum(others, first)
    return (summed / factor ** len(axes)).to(image.dtype)
