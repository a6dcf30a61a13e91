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
    image, kernel, fill = request.image, request.kernel, request.fill
    if image.dtype not in IMAGE_TYPES or image.ndim == 3:
        return f"it has no kernels for {image.ndim - 2} dimension(s) of type {image.dtype}"
    if type(kernel) is not BuiltinKernel or kernel.name not in KERNELS:
        return f"it has the kernels {', '.join(map(repr, KERNELS))} only"
    compiling = torch.compiler.is_compiling()
    reason = why_not_traced() if compiling else why_not_now()
    if reason is not None:
        return reason
    tensors: tuple[Tensor, ...] = (image, *held(request))
    if isinstance(fill, Tensor):
        if fill.requires_grad and torch.is_grad_enabled():
            return "it has no gradient of `fill`"
        tensors = (*tensors, fill)
    for tensor in tensors:
        if not (_looks_plain(tensor) if compiling else is_plain(tensor)) or not tensor.numel():
            return _why_not_readable(tensor)
    if tensors[1].dtype not in COORDINATE_TYPES:
        return f"it has no kernels for coordinates of type {tensors[1].dtype}"
    if max(request.grid.size) >= LONGEST or (image.numel() >= LONGEST and max(image.shape[2:]) >= LONGEST):
        return f"it counts up to {LONGEST - 1} pixels along an axis"
    return None


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


def _looks_plain(tensor: Tensor) -> bool:
    """As `is_plain`, as far as it can be asked while tracing."""
    return type(tensor) in PLAIN_TYPES and tensor.device.type == "cpu"


def _why_not_readable(tensor: Tensor) -> str:
    if tensor.device.type != "cpu":
        return f"it runs on the CPU, not on {tensor.device}"
    if not tensor.numel():
        return "there is nothing to read"
    return "it reads plain tensors only: no subclass, nothing sparse, quantised, batched, traced or negated"
