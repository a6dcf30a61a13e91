"""Grids as pytree nodes: vmap, torch.func, torch.compile and torch.export take and return them.

Tensors are leaves; size and convention are context. Rebuilding skips the constructor's checks, because a
transformation may put placeholders in the place of tensors.
"""

from dataclasses import fields
from typing import Any

import torch.utils._pytree as pytree


def register(cls: type, leaves: tuple[str, ...]) -> None:
    """Registers a frozen dataclass whose fields in `leaves` (tensors, nodes or None) are its children."""
    context_names = tuple(item.name for item in fields(cls) if item.name not in leaves)

    def flatten(node: Any) -> tuple[list[Any], Any]:
        return [getattr(node, name) for name in leaves], tuple(getattr(node, name) for name in context_names)

    def flatten_with_keys(node: Any) -> tuple[list[Any], Any]:
        children, context = flatten(node)
        keys = [pytree.GetAttrKey(name) for name in leaves]
        return list(zip(keys, children, strict=True)), context

    def unflatten(children: Any, context: Any) -> Any:
        node: Any = object.__new__(cls)
        for name, value in zip((*leaves, *context_names), (*children, *context), strict=True):
            object.__setattr__(node, name, value)
        return node

    pytree.register_pytree_node(
        cls,
        flatten,
        unflatten,
        serialized_type_name=f"torchstn.{cls.__name__}",
        flatten_with_keys_fn=flatten_with_keys,
        to_dumpable_context=lambda context: [
            list(item) if isinstance(item, tuple) else item for item in context
        ],
        from_dumpable_context=lambda dumped: tuple(
            tuple(item) if isinstance(item, list) else item for item in dumped
        ),
    )
