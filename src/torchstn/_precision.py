"""Arithmetic that autocast, TF32 and reduced matrix precision never touch.

Coordinates decide which pixel is read: half a pixel is lost at 224 pixels when they pass through bfloat16, so
every product that makes a coordinate goes through here.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def exact_matmul(a: Tensor, b: Tensor) -> Tensor:
    """The matrix product of `a` and `b`, accumulated in float64, in the type of their promotion.

    float64 is the one type whose products no global switch (TF32, `set_float32_matmul_precision`, autocast)
    rounds.
    """
    result = torch.promote_types(a.dtype, b.dtype)
    # MPS has no float64, and no switch to guard against.
    wide = result if a.device.type == "mps" else torch.promote_types(result, torch.float64)
    with without_autocast(a.device):
        return torch.matmul(a.to(wide), b.to(wide)).to(result)


def without_autocast(device: torch.device) -> AbstractContextManager[None]:
    """Switches autocast off where it is on.

    Where it is off nothing is entered: an exported program would hold a region of its own for it, over whose
    border no ratio of symbolic sizes can be saved.
    """
    # By name: before torch 2.12 the compiler cannot trace `is_autocast_available`.
    if device.type != "meta" and torch.is_autocast_enabled(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


WIDE = frozenset({torch.float64, torch.complex128})


def coordinate_dtype(*tensors: Tensor) -> torch.dtype:
    """The type of coordinates: float64 if any of `tensors` is (or is complex128), else float32."""
    for tensor in tensors:
        if tensor.dtype in WIDE:
            return torch.float64
    return torch.float32


def keep_precision(change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """`change` as nn.Module applies it to its tensors, less any rounding to 16 bits.

    Where it would round, the tensor only moves to the device.
    """

    def kept(tensor: Tensor) -> Tensor:
        changed = change(tensor)
        rounded = changed.dtype in (torch.float16, torch.bfloat16) and tensor.dtype != changed.dtype
        return tensor.to(changed.device) if rounded else changed

    return kept
