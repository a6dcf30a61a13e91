"""The regression layer: zero at the start, and never in fewer than 32 bits."""

import copy

import pytest
import torch
from support.closeness import assert_close
from torch import nn

from torchstn.localisation import RegressionHead


def stirred(features: int = 20, n_parameters: int = 6) -> RegressionHead:
    head = RegressionHead(features, n_parameters)
    nn.init.normal_(head.weight)
    nn.init.normal_(head.bias)
    return head


def test_starts_at_zero() -> None:
    head = RegressionHead(20, 6)
    assert torch.equal(head.weight, torch.zeros(6, 20))
    assert torch.equal(head.bias, torch.zeros(6))
    assert torch.equal(head(torch.randn(3, 20)), torch.zeros(3, 6))
    nn.init.ones_(head.weight)
    head.reset_parameters()
    assert torch.equal(head.weight, torch.zeros(6, 20))


def test_is_a_linear_layer() -> None:
    head = stirred().double()
    plain = nn.Linear(20, 6).double()
    plain.load_state_dict(head.state_dict())
    features = torch.randn(3, 20, dtype=torch.float64)
    assert_close(head(features), plain(features), tolerance=1e-14)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_takes_rounded_features_in_float32(dtype: torch.dtype) -> None:
    head, features = stirred(), torch.randn(3, 20).to(dtype)
    theta = head(features)
    assert theta.dtype == torch.float32
    expected = features.double() @ head.weight.double().T + head.bias.double()
    assert_close(theta.double(), expected, tolerance=1e-6)


def test_autocast_changes_no_bit() -> None:
    head, features = stirred(), torch.randn(3, 20)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = head(features)
        rounded = nn.functional.linear(features, head.weight, head.bias)
    assert rounded.dtype == torch.bfloat16
    assert torch.equal(inside, head(features))


@pytest.mark.parametrize("precision", ["high", "medium"])
def test_matmul_precision_changes_no_bit(precision: str) -> None:
    head, features = stirred(64, 6), torch.randn(64, 64)
    expected = head(features)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        assert torch.equal(head(features), expected)
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("rounding", ["half", "bfloat16"])
def test_rounding_the_model_leaves_its_numbers(rounding: str) -> None:
    head = stirred()
    before = copy.deepcopy(head.state_dict())
    getattr(nn.Sequential(head), rounding)()
    assert head.weight.dtype == torch.float32
    assert all(torch.equal(value, before[name]) for name, value in head.state_dict().items())


def test_widens_and_narrows_between_float32_and_float64() -> None:
    head = stirred()
    before = head.weight.detach().clone()
    assert head.double()(torch.randn(1, 20)).dtype == torch.float64
    assert torch.equal(head.float().weight, before)
