"""The assertion of closeness can fail, in each of the ways it is meant to."""

import numpy as np
import pytest
import torch
from support.closeness import TOLERANCES, assert_close, magnitude
from torch import Tensor

ONES = torch.ones(3, 4)


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
def test_accepts_what_differs_by_less_than_the_table_says(dtype: torch.dtype) -> None:
    expected = torch.tensor([8.0, 1.0], dtype=torch.float64)
    assert_close(expected.to(dtype), expected.to(dtype))
    assert_close((expected * (1 + 0.4 * TOLERANCES[dtype])).to(dtype), expected.to(dtype))


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
def test_refuses_what_differs_by_more(dtype: torch.dtype) -> None:
    expected = torch.tensor([8.0, 1.0], dtype=dtype)
    actual = expected + torch.tensor([0.0, 20 * TOLERANCES[dtype]], dtype=dtype)
    with pytest.raises(AssertionError, match=r"error .* at \(1,\)"):
        assert_close(actual, expected)


@pytest.mark.parametrize(
    ("actual", "expected", "reason"),
    [
        pytest.param(ONES[0], ONES, "shape", id="a shape that would broadcast"),
        pytest.param(torch.ones(1), torch.ones(()), "shape", id="one number and one-element vector"),
        pytest.param(ONES.double(), ONES, "type", id="a wider type"),
        pytest.param(ONES * float("nan"), ONES, "non-finite", id="NaN for a number"),
        pytest.param(ONES, ONES * float("nan"), "non-finite", id="a number for NaN"),
        pytest.param(
            ONES * float("-inf"), ONES * float("inf"), "non-finite", id="infinity of the other sign"
        ),
        pytest.param(torch.zeros(2), torch.full((2,), 1e-9), "error", id="zeros for something small"),
        pytest.param(torch.tensor([1, 2]), torch.tensor([1, 3]), r"differs at \(1,\)", id="whole numbers"),
        pytest.param(torch.tensor([1j]), torch.tensor([1.1j]), "error", id="imaginary parts"),
        pytest.param(np.ones(2), torch.ones(2), "a tensor", id="an array for a tensor"),
    ],
)
def test_refuses(actual: Tensor, expected: Tensor, reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        assert_close(actual, expected)


def test_takes_arrays_and_equal_non_finite_values() -> None:
    values = np.array([1.0, np.nan, np.inf, -np.inf])
    assert_close(torch.tensor(values), values)
    assert_close(torch.empty(0, 3), torch.empty(0, 3))


def test_the_scale_is_that_of_what_is_expected() -> None:
    assert magnitude(torch.tensor([-4.0, 1.0, float("nan")])) == 4
    assert magnitude(torch.zeros(2)) == 1
    assert magnitude(torch.empty(0)) == 1
