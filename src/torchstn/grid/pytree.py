"""Grids as pytree nodes: vmap, torch.func, torch.compile and torch.export take and return them.

Tensors are leaves; size and convention are context. Rebuilding skips the constructor's checks, because a
transformation may put placeholders in the place of tensors.
"""

from dataclasses import fields
from typing import Any

import torch
import torch.utils._pytree as pytree


def register(cls: type, leaves: tuple[str, ...]) -> None:
    """Registers a frozen dataclass whose fields in `leaves` (tensors, nodes or None) are its children.

    A field that is None is no child: vmap refuses leaves that are not tensors.
    """
    context_names = tuple(item.name for item in fields(cls) if item.name not in leaves)

    def flatten(node: Any) -> tuple[list[Any], Any]:
        present = tuple(name for name in leaves if getattr(node, name) is not None)
        context = (present, *[getattr(node, name) for name in context_names])
        return [getattr(node, name) for name in present], context

    def flatten_with_keys(node: Any) -> tuple[list[Any], Any]:
        children, context = flatten(node)
        keys = [pytree.GetAttrKey(name) for name in context[0]]
        return list(zip(keys, children, strict=True)), context

    def unflatten(children: Any, context: Any) -> Any:
        present, *values = context
        node: Any = object.__new__(cls)
        for name in leaves:
            object.__setattr__(node, name, None)
        for name, value in zip((*present, *context_names), (*children, *values), strict=True):
            object.__setattr__(node, name, value)
        return node

    pytree.register_pytree_node(
        cls,
        flatten,
        unflatten,
        serialized_type_name=f"torchstn.{cls.__name__}",
        flatten_with_keys_fn=flatten_with_keys,
        to_dumpable_context=lambda context: context,  # written as JSON, where tuples become lists
        from_dumpable_context=_as_tuples,
    )
    # Tensors and plain values, no code: `torch.load` and `torch.export.load` may read it with `weights_only`.
    torch.serialization.add_safe_globals([cls])


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value
