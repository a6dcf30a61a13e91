"""Tensors that depend on sizes alone, computed once and remembered."""

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import _get_current_dispatch_mode

LIMIT = 64
"""Constants remembered per function; the least recently used goes first."""


def constant(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Remembers the results of a function of hashable arguments.

    While tracing (compile, export, make_fx, fake tensors) nothing is remembered or recalled: a traced tensor
    must not outlive its trace. Nor is anything remembered under a torch.func transform, whose tensors are
    wrapped and die with it. Constants are never inference tensors, so training may use what inference
    computed.
    """
    memory: OrderedDict[Any, Tensor] = OrderedDict()

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Tensor:
        if torch.compiler.is_compiling() or _get_current_dispatch_mode() is not None:
            return function(*args, **kwargs)
        key = (args, tuple(kwargs.items()))
        value = memory.get(key)
        if value is None:
            with torch.inference_mode(False), torch.no_grad():
                value = function(*args, **kwargs)
            if torch._C._are_functorch_transforms_active():
                return value
            memory[key] = value
        memory.move_to_end(key)
        while len(memory) > LIMIT:
            memory.popitem(last=False)
        return value

    return wrapper
