"""Why fused kernels cannot run a request: asked at every call, so each question is a cheap one."""

from functools import cache

import torch
from torch import Tensor
from torch._C import _are_functorch_transforms_active, _dispatch_keys
from torch.autograd import forward_ad
from torch.utils._python_dispatch import _get_current_dispatch_mode

from ..kernels import BuiltinKernel
from ..request import Request
from .contract import KERNELS, Engine
from .description import held

IMAGE_TYPES = {torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.uint8}
COORDINATE_TYPES = {torch.float32, torch.float64}
PLAIN_TYPES = {Tensor, torch.nn.Parameter}
LONGEST = 2**30
"""Pixels along an axis from which on an index and its neighbours might not fit 32 bits."""


def refusal(engine: Engine, request: Request) -> str | None:
    """Why the request must go to another backend, or None."""
    image, kernel = request.image, request.kernel
    if image.device.type != engine.device:
        return f"it runs on {engine.where}, not on {image.device}"
    if image.dtype not in IMAGE_TYPES or image.ndim - 2 not in engine.dims:
        return f"it has no kernels for {image.ndim - 2} dimension(s) of type {image.dtype}"
    if type(kernel) is not BuiltinKernel or kernel.name not in KERNELS:
        return f"it has the kernels {', '.join(map(repr, KERNELS))} only"
    compiling = torch.compiler.is_compiling()
    reason = why_not_traced() if compiling else why_not_now()
    if reason is not None:
        return reason
    # Not before: while torch.jit is tracing, a tensor's count of elements is a tensor.
    if max(request.grid.size) >= LONGEST or (image.numel() >= LONGEST and max(image.shape[2:]) >= LONGEST):
        return f"it counts up to {LONGEST - 1} pixels along an axis"
    return _unreadable(engine, request, compiling)


def _unreadable(engine: Engine, request: Request, compiling: bool) -> str | None:
    image, fill = request.image, request.fill
    tensors: tuple[Tensor, ...] = (image, *held(request))
    if isinstance(fill, Tensor):
        if fill.requires_grad and torch.is_grad_enabled():
            return "it has no gradient of `fill`"
        tensors = (*tensors, fill)
    plain = _looks_plain if compiling else is_plain
    for tensor in tensors:
        if not plain(tensor, engine.device) or not tensor.numel():
            return _why_not_readable(tensor)
    if tensors[1].dtype not in COORDINATE_TYPES:
        return f"it has no kernels for coordinates of type {tensors[1].dtype}"
    return None


def why_not_now() -> str | None:
    """What torch is doing at this moment that fused kernels would not take part in."""
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
    if _is_exporting():
        return "an exported program must run without it"
    if _are_functorch_transforms_active():
        return "a torch.func transform is active"
    if forward_ad._current_level >= 0:
        return "forward-mode differentiation is active"
    return None


def _is_exporting() -> bool:
    return torch.compiler.is_exporting()


# Traced, torch 2.11 answers yes within torch.compile as well; called, it knows.
_is_exporting._dynamo_marked_constant = True  # type: ignore[attr-defined]  # torch's own mark on a function


def is_plain(tensor: Tensor, device: str) -> bool:
    """Whether a tensor is numbers in the memory of such a device, read as they are, and nothing more."""
    return type(tensor) in PLAIN_TYPES and _dispatch_keys(tensor).raw_repr() in plain_keys(device)


@cache
def plain_keys(device: str) -> frozenset[int]:
    """How torch dispatches on plain tensors of such a device, ordinary ones and those of inference mode.

    Every other kind has other keys: on another device, sparse, quantised, fake, functional, batched, a view
    that negates.
    """
    keys = set()
    for inference in (False, True):
        with torch.inference_mode(inference):
            keys.add(_dispatch_keys(torch.empty(0, device=device)).raw_repr())
    return frozenset(keys)


def _looks_plain(tensor: Tensor, device: str) -> bool:
    """As `is_plain`, as far as it can be asked while tracing."""
    return type(tensor) in PLAIN_TYPES and tensor.device.type == device


def _why_not_readable(tensor: Tensor) -> str:
    if not tensor.numel():
        return "there is nothing to read"
    return "it reads plain tensors only: no subclass, nothing sparse, quantised, batched, traced or negated"
