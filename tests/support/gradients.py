"""Agreement of two implementations in the value and in every gradient."""

from collections.abc import Callable, Collection, Sequence

import torch
from support.closeness import TOLERANCES, assert_close, magnitude
from torch import Tensor

Function = Callable[..., Tensor]


def assert_gradients_agree(
    function: Function,
    oracle: Function,
    inputs: Sequence[Tensor],
    *,
    tolerance: float | None = None,
    zero: Collection[int] = (),
) -> None:
    """Asserts that function(*inputs) and oracle(*inputs) agree, and their gradients in every floating input.

    Args:
        function: What is tested.
        oracle: Somebody else's implementation.
        inputs: Their common arguments; gradients are compared for all that are floating point or complex.
        tolerance: As for `assert_close`, for the value and each gradient.
        zero: Numbers of the inputs whose gradient is meant to be zero, up to rounding. Of the others the
            oracle's must not be: a comparison of zeros proves nothing.
    """
    value, gradients = _differentiate(function, inputs)
    expected_value, expected_gradients = _differentiate(oracle, inputs)
    assert_close(value, expected_value, tolerance=tolerance)
    for number, expected in expected_gradients.items():
        what = f"gradient of input {number}"
        noise = TOLERANCES.get(expected.dtype, 0.0)
        nonzero = _largest(expected) > noise
        assert nonzero != (number in zero), f"{what}: the oracle's is {'not ' if nonzero else ''}zero"
        if number in zero:
            assert _largest(gradients[number]) <= noise, f"{what}: not zero"
            continue
        _assert_not_wrongly_zero(gradients[number], expected, what)
        assert_close(gradients[number], expected, tolerance=tolerance, what=what)


def _largest(value: Tensor) -> float:
    return float(value.abs().max()) if value.numel() else 0.0


def _differentiate(function: Function, inputs: Sequence[Tensor]) -> tuple[Tensor, dict[int, Tensor]]:
    leaves = [value.detach().clone() for value in inputs]
    numbers = [i for i, leaf in enumerate(leaves) if leaf.is_floating_point() or leaf.is_complex()]
    for number in numbers:
        leaves[number].requires_grad_()
    value = function(*leaves)
    generator = torch.Generator().manual_seed(value.numel())
    cotangent = torch.randn(value.shape, generator=generator, dtype=torch.float64).to(value.dtype)
    gradients = torch.autograd.grad(
        value, [leaves[number] for number in numbers], cotangent, allow_unused=True, materialize_grads=True
    )
    return value, dict(zip(numbers, gradients, strict=True))


def _assert_not_wrongly_zero(actual: Tensor, expected: Tensor, what: str) -> None:
    # Ten times the rounding of the type: what the oracle makes smaller may be its own rounding.
    rounding = TOLERANCES[torch.float64 if expected.dtype == torch.float64 else torch.float32]
    floor = 10 * rounding * magnitude(expected)
    if actual.shape == expected.shape:
        wrong = (actual == 0) & (expected.abs() > floor)
        assert not wrong.any(), f"{what}: wrongly zero in {int(wrong.sum())} of {wrong.numel()} places"
