"""Refusals: each names the argument, the rule, what came, and the fix where there is one."""

import operator
from collections.abc import Iterable, Sequence
from math import inf
from numbers import Real
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
    whole = _whole(dims)
    if whole is None or whole not in AXES:
        raise ValueError(f"`dims` must be 1, 2 or 3, got {dims!r}.")
    return whole


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
    lengths = []
    for length in size:
        whole = _whole(length)
        if whole is None:
            raise TypeError(f"`{name}` must hold whole numbers, got {tuple(size)}.")
        if whole < 1:
            raise ValueError(f"`{name}` must be positive along every axis, got {tuple(size)}.")
        lengths.append(whole)
    return tuple(lengths)


def check_any_size(name: str, size: Sequence[int]) -> tuple[int, ...]:
    """A tuple of one, two or three positive whole numbers."""
    if type(size) is not tuple and (isinstance(size, (int, str)) or not isinstance(size, Sequence)):
        raise TypeError(f"`{name}` must be a sequence of whole numbers, one per axis, got {size!r}.")
    if len(size) not in AXES:
        raise ValueError(f"`{name}` must be {', '.join(AXES.values())}, got {tuple(size)}.")
    return check_size(name, size, len(size))


def check_count(name: str, count: int) -> int:
    whole = _whole(count)
    if whole is None:
        raise TypeError(f"`{name}` must be a whole number, got {count!r}.")
    if whole < 1:
        raise ValueError(f"`{name}` must be positive, got {count}.")
    return whole


def check_points(name: str, size: Sequence[int], smallest: int) -> tuple[int, ...]:
    """Numbers of control points per axis in array order."""
    points = check_any_size(name, size)
    if min(points) < smallest:
        raise ValueError(f"`{name}` must be at least {smallest} along every axis, got {points}.")
    return points


def check_number(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"`{name}` must be a number, got {value!r}.")


def check_floating(name: str, value: Tensor) -> None:
    check_tensor(name, value)
    if not value.is_floating_point():
        raise TypeError(f"`{name}` must be floating point, got {value.dtype}; convert it with `.float()`.")


def check_theta(theta: Tensor, n_parameters: int, family: str) -> None:
    check_floating("theta", theta)
    if theta.ndim != 2 or theta.shape[1] != n_parameters:
        raise ValueError(f"`theta` of {family} must be (n, {n_parameters}), got {tuple(theta.shape)}.")


def check_bound(name: str, value: float | None, *, above: float = 0, none: str = "no bound") -> float | None:
    """A finite number above another, or None, which means `none`."""
    if value is not None:
        check_number(name, value)
        if not above < value < inf:
            rule = "finite" if above == -inf else f"finite and above {above}"
            raise ValueError(f"`{name}` must be {rule}, or None for {none}, got {value!r}.")
    return value


def check_axes(image: Tensor, dims: int, reader: str) -> None:
    if image.ndim != dims + 2:
        raise ValueError(
            f"`image` must be (n, c, {', '.join('dhw'[3 - dims :])}) for a {reader} of {dims} dimension(s), "
            f"got {tuple(image.shape)}."
        )


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


def _whole(value: Any) -> int | None:
    """The whole number that a value is, a symbolic one while tracing; None where it is no whole number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, torch.SymInt)):
        return value  # type: ignore[return-value]  # SymInt stands for an int
    try:
        return operator.index(value)
    except TypeError:
        return None
