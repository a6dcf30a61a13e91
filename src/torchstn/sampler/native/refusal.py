"""Why the compiled kernels cannot run a request: asked at every call, so each question is a cheap one."""

import torch
from torch import Tensor
from torch._C import _are_functorch_transforms_active, _dispatch_keys
from torch.autograd import forward_ad
from torch.utils._python_dispatch import _get_current_dispatch_mode

from ..kernels import BuiltinKernel
from ..request import Request
from .description import held
from .extension import KERNELS

IMAGE_TYPES = {torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.uint8}
COORDINATE_TYPES = {torch.float32, torch.float64}
PLAIN_TYPES = {Tensor, torch.nn.Parameter}
LONGEST = 2**30
"""Pixels along an axis from which on an index and its neighbours might not fit 32 bits."""


def refusal(request: Request) -> str | None:
    """Why the request must go to another backend, or None."""
    image = request.image
    if image.dtype not in IMAGE_TYPES:
        return f"it has no kernels for images of type {image.dtype}"
    if image.ndim == 3:
        return "it has kernels for two and three dimensions"
    kernel = request.kernel
    if not isinstance(kernel, BuiltinKernel) or kernel.name not in KERNELS:
        return f"it has the kernels {', '.join(map(repr, KERNELS))} only"
    reason = why_not_traced() if torch.compiler.is_compiling() else why_not_now()
    if reason is not None:
        return reason
    fill = request.fill
    if isinstance(fill, Tensor):
        if fill.requires_grad and torch.is_grad_enabled():
            return "it has no gradient of `fill`"
        reason = _unreadable(fill)
    return reason or _unreadable(image) or _unfit_grid(request) or _too_long(image, request.grid.size)


def why_not_now() -> str | None:
    """What torch is doing at this moment that compiled kernels would not take part in."""
    if _are_functorch_transforms_active():
        return "a torch.func transform is active"
    if forward_ad._current_level >= 0:
        return "forward-mode differentiation is active"
    if _get_current_dispatch_mode() is not None:
        return "a dispatch mode is active"
    if torch._C._is_tracing():
        return "torch.jit is tracing"
    return None


def why_not_traced() -> str | None:
    """As `why_not_now`, for the call that torch.compile or torch.export is tracing."""
    if torch.compiler.is_exporting():
        return "an exported program must run without it"
    if _are_functorch_transforms_active():
        return "a torch.func transform is active"
    if forward_ad._current_level >= 0:
        return "forward-mode differentiation is active"
    return None


def is_plain(tensor: Tensor) -> bool:
    """Whether a tensor is numbers in the CPU's memory, read as they are, and nothing more."""
    return type(tensor) in PLAIN_TYPES and _dispatch_keys(tensor).raw_repr() in PLAIN_KEYS


def _plain_keys() -> set[int]:
    keys = set()
    for inference in (False, True):
        with torch.inference_mode(inference):
            keys.add(_dispatch_keys(torch.empty(0, device="cpu")).raw_repr())
    return keys


PLAIN_KEYS = _plain_keys()
"""How torch dispatches on plain tensors, ordinary ones and those of inference mode.

Every other kind has other keys: on another device, sparse, quantised, fake, functional, batched, a view
that negates."""


def _unreadable(tensor: Tensor) -> str | None:
    plain = type(tensor) in PLAIN_TYPES if torch.compiler.is_compiling() else is_plain(tensor)
    if plain and tensor.device.type == "cpu":
        return None
    if tensor.device.type != "cpu":
        return f"it runs on the CPU, not on {tensor.device}"
    return "it reads plain tensors only: no subclass, nothing sparse, quantised, batched, traced or negated"


def _unfit_grid(request: Request) -> str | None:
    for tensor in held(request):
        if tensor.dtype not in COORDINATE_TYPES:
            return f"it has no kernels for coordinates of type {tensor.dtype}"
        if not tensor.numel():
            return "there is nothing to read"
        reason = _unreadable(tensor)
        if reason is not None:
            return reason
    return None


def _too_long(image: Tensor, size: tuple[int, ...]) -> str | None:
    if not image.numel():
        return "there is nothing to read"
    if max(image.shape[2:]) >= LONGEST or max(size) >= LONGEST:
        return f"it counts up to {LONGEST - 1} pixels along an axis"
    return None
