"""What lies outside the image: every tap's index is replaced by one inside, or marked as outside."""

import torch
from torch import Tensor

from .._types import Padding


def remap(index: Tensor, length: int, padding: Padding, align_corners: bool) -> tuple[Tensor, Tensor | None]:
    """An index inside [0, length) for every index, and where the value is a constant instead.

    "border" repeats the edge pixel; "reflection" mirrors about the image's edge (c b a | a b c), with
    `align_corners` about the centre of the edge pixel (c b | a b c); "circular" wraps around.

    Args:
        index: int64, any shape.
        length: Pixels along the axis.
        padding: Its name.
        align_corners: The grid's convention.

    Returns:
        The index, and a mask of the taps inside, None where every tap is.
    """
    if padding in ("zeros", "fill"):
        return index.clamp(0, length - 1), (index >= 0) & (index < length)
    if padding == "border":
        return index.clamp(0, length - 1), None
    if padding == "circular":
        return torch.remainder(index, length), None
    if align_corners:
        period = max(2 * (length - 1), 1)
        index = torch.remainder(index, period)
        return torch.minimum(index, period - index).clamp(max=length - 1), None
    index = torch.remainder(index, 2 * length)
    return torch.minimum(index, 2 * length - 1 - index), None
