"""Tensors that a state holds under several names, such as those of a localisation network that is shared.

safetensors refuses a file that holds the same memory twice; the state is written with the first name alone.
"""

from collections.abc import Mapping

from torch import Tensor


def without_copies(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Splits a state into tensors of their own and further names of them.

    Returns:
        The tensors, and for each name that was left out the one under which its tensor is kept.
    """
    kept: dict[str, Tensor] = {}
    names: dict[tuple[object, ...], str] = {}
    others: dict[str, str] = {}
    for name, tensor in tensors.items():
        place = tensor.device, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride()
        if tensor.numel() and place in names:
            others[name] = names[place]
        else:
            kept[name] = tensor
            names[place] = name
    return kept, others


def with_copies(tensors: Mapping[str, Tensor], others: Mapping[str, str]) -> dict[str, Tensor]:
    """The state that `without_copies` split.

    Raises:
        KeyError: If the tensor of a name is not there.
    """
    return {**tensors, **{name: tensors[kept] for name, kept in others.items()}}
