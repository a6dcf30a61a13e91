"""The assertion of agreeing gradients sees each kind of disagreement."""

import pytest
import torch
from support.gradients import assert_gradients_agree
from torch import Tensor


def _product(a: Tensor, b: Tensor) -> Tensor:
    return a * b


def _inputs() -> list[Tensor]:
    return [torch.randn(5, dtype=torch.float64) + 3, torch.randn(5, dtype=torch.float64) - 3]


def test_accepts_two_ways_of_writing_the_same() -> None:
    assert_gradients_agree(
        _product, lambda a, b: ((a + b) ** 2 - a**2 - b**2) / 2, _inputs(), tolerance=1e-10
    )


def test_sees_a_wrong_value() -> None:
    with pytest.raises(AssertionError, match="value"):
        assert_gradients_agree(lambda a, b: a * b + 1, _product, _inputs())


def test_sees_a_wrong_gradient_behind_a_right_value() -> None:
    def wrong(a: Tensor, b: Tensor) -> Tensor:
        return 2 * a * b - (a * b).detach()

    with pytest.raises(AssertionError, match="gradient of input 0: error"):
        assert_gradients_agree(wrong, _product, _inputs())


def test_sees_a_missing_gradient() -> None:
    with pytest.raises(AssertionError, match="gradient of input 1: wrongly zero in 5 of 5"):
        assert_gradients_agree(lambda a, b: a * b.detach(), _product, _inputs())


def test_sees_one_small_gradient_that_is_wrongly_zero() -> None:
    a, b = torch.tensor([1.0, 1.0]), torch.tensor([1e4, 1.0])

    def wrong(a: Tensor, b: Tensor) -> Tensor:
        return torch.stack([a[0], a[1].detach()]) * b

    with pytest.raises(AssertionError, match="gradient of input 0: wrongly zero in 1 of 2"):
        assert_gradients_agree(wrong, _product, [a, b], tolerance=0.1)


def test_refuses_a_comparison_of_zeros() -> None:
    def constant(a: Tensor, b: Tensor) -> Tensor:
        return a * b.detach()

    with pytest.raises(AssertionError, match="input 1: the oracle's is zero"):
        assert_gradients_agree(constant, constant, _inputs())
    assert_gradients_agree(constant, constant, _inputs(), zero=[1])


def test_a_gradient_meant_to_be_zero_must_be() -> None:
    with pytest.raises(AssertionError, match="input 1: the oracle's is not zero"):
        assert_gradients_agree(_product, _product, _inputs(), zero=[1])


def test_a_gradient_meant_to_be_zero_may_be_rounding_but_no_more() -> None:
    def noisy(scale: float) -> object:
        return lambda a, b: a * b.detach() + scale * b - scale * b.detach()

    assert_gradients_agree(noisy(1e-15), noisy(-1e-15), _inputs(), zero=[1])
    with pytest.raises(AssertionError, match="input 1: not zero"):
        assert_gradients_agree(noisy(1e-6), noisy(0.0), _inputs(), zero=[1])


def test_whole_numbers_have_no_gradient() -> None:
    inputs = [torch.randn(3, dtype=torch.float64), torch.tensor([1, 2, 3])]
    assert_gradients_agree(_product, _product, inputs)
