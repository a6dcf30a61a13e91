"""Refusals: each names the argument, the rule, what came, and the fix where there is one."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

AXES = {1: "(w,)", 2: "(h, w)", 3: "(d, h, w)"}


def check_tensor(name: str, value: Any) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(f"`{name}` must be a torch.Tensor, got {type(value).__name__}.")


def check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    choices = tuple(choices)
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, choices))}, got {value!r}.")


def check_dims(dims: int) -> int:
    if dims not in (1, 2, 3):
        raise ValueError(f"`dims` must be 1, 2 or 3, got {dims!r}.")
    return dims


def check_size(name: str, size: Sequence[int], dims: int) -> tuple[int, ...]:
    """A tuple of `dims` positive whole numbers (symbolic ones while compiling or exporting)."""
    if type(size) is tuple and len(size) == dims:
        for length in size:  # every call of every grid comes through here
            if type(length) is not int or length < 1:
                break
        else:
            return size
    if isinstance(size, (int, str)) or not isinstance(size, Sequence):
        raise TypeError(f"`{name}` must be a sequence of {dims} whole numbers, {AXES[dims]}, got {size!r}.")
    if len(size) != dims:
        raise ValueError(f"`{name}` must be {AXES[dims]} for {dims} dimension(s), got {tuple(size)}.")
    for length in size:
        if not isinstance(length, (int, torch.SymInt)) or isinstance(length, bool):
            raise TypeError(f"`{name}` must hold whole numbers, got {tuple(size)}.")
        if length < 1:
            raise ValueError(f"`{name}` must be positive along every axis, got {tuple(size)}.")
    return tuple(size)


def check_any_size(name: str, size: Sequence[int]) -> tuple[int, ...]:
    """A tuple of one, two or three positive whole numbers."""
    if isinstance(size, (int, str)) or not isinstance(size, Sequence):
        raise TypeError(f"`{name}` must be a sequence of whole numbers, one per axis, got {size!r}.")
    if len(size) not in AXES:
        raise ValueError(f"`{name}` must be {', '.join(AXES.values())}, got {tuple(size)}.")
    return check_size(name, size, len(size))


def check_count(name: str, count: int) -> int:
    if not isinstance(count, int) or isinstance(count, bool):
        raise TypeError(f"`{name}` must be a whole number, got {count!r}.")
    if count < 1:
        raise ValueError(f"`{name}` must be positive, got {count}.")
    return count


def check_points(name: str, size: int | Sequence[int], dims: int, smallest: int) -> tuple[int, ...]:
    """Numbers of control points per axis in array order; one number stands for all axes."""
    points = check_size(name, (size,) * dims if isinstance(size, int) else size, dims)
    if min(points) < smallest:
        raise ValueError(f"`{name}` must be at least {smallest} along every axis, got {points}.")
    return points


def check_floating(name: str, value: Tensor) -> None:
    check_tensor(name, value)
    if not value.is_floating_point():
        raise TypeError(f"`{name}` must be floating point, got {value.dtype}; convert it with `.float()`.")


def check_theta(theta: Tensor, n_parameters: int, family: str) -> None:
    check_floating("theta", theta)
    if theta.ndim != 2 or theta.shape[1] != n_parameters:
        raise ValueError(f"`theta` of {family} must be (n, {n_parameters}), got {tuple(theta.shape)}.")


def check_positive(name: str, value: float | None) -> float | None:
    if value is not None and not value > 0:
        raise ValueError(f"`{name}` must be positive, or None for no bound, got {value!r}.")
    return value


def check_device(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    if value.device != other.device:
        raise ValueError(
            f"`{name}` must be on the device of `{other_name}`, {other.device}, got {value.device}; "
            f"move it with `.to({str(other.device)!r})`."
        )


def check_batch(name: str, count: int, other_name: str, other: int) -> None:
    # Not `in`, which tells symbolic numbers apart that are equal.
    if not (count == other or count == 1 or other == 1):  # noqa: PLR1714
        raise ValueError(
            f"`{name}` and `{other_name}` must have the same batch size, or one of them a batch of 1, "
            f"got {count} and {other}."
        )
