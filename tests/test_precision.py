"""Arithmetic that no global switch rounds."""

from contextlib import nullcontext

import pytest
import torch
from support.closeness import assert_close
from torch import nn

from torchstn._precision import coordinate_dtype, exact_matmul, keep_precision, without_autocast

TYPES = [torch.float32, torch.float64]


@pytest.mark.parametrize("a_type", TYPES, ids=str)
@pytest.mark.parametrize("b_type", TYPES, ids=str)
def test_products_have_the_wider_type(a_type: torch.dtype, b_type: torch.dtype) -> None:
    a, b = torch.randn(2, 3, 4).to(a_type), torch.randn(4, 5).to(b_type)
    product = exact_matmul(a, b)
    assert product.dtype == torch.promote_types(a_type, b_type)
    expected = (a.double().unsqueeze(-1) * b.double()).sum(-2).to(product.dtype)
    assert_close(product, expected, tolerance=1e-15 if product.dtype == torch.float64 else 1e-7)


def test_complex_products_keep_their_imaginary_part() -> None:
    a, b = torch.randn(2, 3, dtype=torch.complex64), torch.randn(3, 2)
    expected = torch.complex(exact_matmul(a.real, b), exact_matmul(a.imag, b))
    assert_close(exact_matmul(a, b.to(torch.complex64)), expected, tolerance=1e-6)


def test_products_are_rounded_once() -> None:
    # 1 is lost beside 2^24 in float32: only wider sums keep it.
    a = torch.tensor([[2.0**24, 1.0, -(2.0**24)]])
    assert exact_matmul(a, torch.ones(3, 1)).item() == 1.0


def test_autocast_is_off_inside() -> None:
    a, b = torch.randn(8, 8), torch.randn(8, 8)
    expected = exact_matmul(a, b)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (a @ b).dtype == torch.bfloat16
        assert torch.equal(exact_matmul(a, b), expected)
        assert torch.is_autocast_enabled("cpu")


def test_autocast_is_entered_only_to_switch_it_off() -> None:
    device = torch.device("cpu")
    assert isinstance(without_autocast(device), nullcontext)
    assert isinstance(without_autocast(torch.device("meta")), nullcontext)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with without_autocast(device):
            assert not torch.is_autocast_enabled("cpu")
        assert torch.is_autocast_enabled("cpu")


def test_products_differentiate_twice() -> None:
    a, b = torch.randn(2, 3, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)
    inputs = (a.requires_grad_(), b.requires_grad_())
    assert torch.autograd.gradcheck(exact_matmul, inputs)
    assert torch.autograd.gradgradcheck(exact_matmul, inputs)


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ((torch.float32,), torch.float32),
        ((torch.bfloat16, torch.float16), torch.float32),
        ((torch.uint8, torch.float32), torch.float32),
        ((torch.complex64, torch.float32), torch.float32),
        ((torch.float64, torch.float32), torch.float64),
        ((torch.bfloat16, torch.float64), torch.float64),
        ((torch.complex128, torch.float32), torch.float64),
    ],
    ids=str,
)
def test_coordinates_are_float64_where_anything_is(
    types: tuple[torch.dtype, ...], expected: torch.dtype
) -> None:
    assert coordinate_dtype(*(torch.zeros(1, dtype=one) for one in types)) == expected


@pytest.mark.parametrize("change", ["half", "bfloat16", "float", "double", "cpu"])
@pytest.mark.parametrize("start", [*TYPES, torch.bfloat16], ids=str)
def test_a_change_that_rounds_leaves_the_type(start: torch.dtype, change: str) -> None:
    tensor = torch.randn(3).to(start)
    kept = keep_precision(lambda value: getattr(value, change)())(tensor)
    narrow = change in {"half", "bfloat16"}
    assert kept.dtype == (start if narrow else getattr(tensor, change)().dtype)
    if narrow:
        assert torch.equal(kept, tensor)


def test_whole_numbers_are_left_to_the_module() -> None:
    class Counting(nn.BatchNorm1d):
        def _apply(self, fn: object, recurse: bool = True) -> nn.Module:
            return super()._apply(keep_precision(fn), recurse)

    module = Counting(3).bfloat16()
    assert module.num_batches_tracked.dtype == torch.int64
    assert module.weight.dtype == torch.float32
