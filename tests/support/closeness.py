"""Closeness by type: one table, shapes and types first, nothing broadcast, errors as shares of the scale."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

TOLERANCES = {
    torch.float64: 1e-12,  # worst seen 7e-14, a recursive spline filter in 2-D; 8e-15 without one
    torch.float32: 5e-6,  # worst seen 1.3e-6, the gradient of points read with the cubic kernel
    torch.float16: 1e-3,  # half a unit in the last place is 4.9e-4
    torch.bfloat16: 8e-3,  # half a unit in the last place is 3.9e-3
}
"""Largest error allowed, as a share of the largest expected magnitude."""

_REAL = {torch.complex64: torch.float32, torch.complex128: torch.float64}


def assert_close(actual: Any, expected: Any, *, tolerance: float | None = None, what: str = "value") -> None:
    """Asserts that two tensors (or arrays) agree in shape, type, non-finite entries and value.

    Args:
        actual: A tensor.
        expected: A tensor or a numpy array.
        tolerance: Share of the largest expected magnitude; default: the type's in the table. Whole numbers
            must be equal.
        what: Names the quantity in the message.
    """
    if isinstance(expected, np.ndarray):
        expected = torch.from_numpy(np.ascontiguousarray(expected))
    assert isinstance(actual, Tensor), f"{what}: a tensor expected, got {type(actual).__name__}"
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, expected {expected.shape}"
    assert actual.dtype == expected.dtype, f"{what}: type {actual.dtype}, expected {expected.dtype}"
    actual, expected = actual.detach(), expected.detach()
    if not (actual.is_floating_point() or actual.is_complex()):
        assert torch.equal(actual, expected), f"{what}: differs at {_first(actual != expected)}"
        return
    tolerance = TOLERANCES[_REAL.get(actual.dtype, actual.dtype)] if tolerance is None else tolerance
    finite = expected.isfinite()
    strange = ~finite & ~((actual == expected) | (actual.isnan() & expected.isnan()))
    assert not (strange | (finite & ~actual.isfinite())).any(), f"{what}: non-finite values differ"
    allowed = tolerance * magnitude(expected)
    error = torch.where(finite, (_wide(actual) - _wide(expected)).abs(), 0.0)
    assert bool((error <= allowed).all()), (
        f"{what}: error {float(error.max()):.3g}, allowed {allowed:.3g}, at {_first(error == error.max())}: "
        f"{actual[error == error.max()][0]} instead of {expected[error == error.max()][0]}"
    )


def magnitude(expected: Tensor) -> float:
    """The largest finite magnitude; 1 for a tensor without one, whose errors are then absolute."""
    finite = _wide(expected)[expected.isfinite()].abs()
    return float(finite.max()) or 1.0 if finite.numel() else 1.0


def _wide(value: Tensor) -> Tensor:
    return value.to(torch.complex128 if value.is_complex() else torch.float64)


def _first(mask: Tensor) -> tuple[int, ...]:
    return tuple(mask.nonzero()[0].tolist())
