"""The compiled kernels in a graph: what it saves and frees, strides, autocast, defaults of torch."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from support.closeness import assert_close
from support.native_calls import DERIVED, Calls
from support.small_grids import (
    EVERY_GRID,
    inputs_of,
    leaves_of,
    matrix_of,
    sampled,
)
from torch import Tensor

pytestmark = DERIVED


@pytest.mark.parametrize("grid", ["matrix", "dense", "thin plate", "free form", "displacement", "points"])
def test_what_was_changed_since_is_detected(grid: str) -> None:
    """Of what a backward pass reads, as everywhere in torch. The other grids hand over copies."""
    for number in range(len(inputs_of(grid))):
        leaves = leaves_of(grid)
        values = [leaf * 1 for leaf in leaves]
        output = sampled(grid, "linear")(*values)
        values[number].mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            output.sum().backward()


def test_a_fill_that_is_changed_since_does_not_matter() -> None:
    image, matrix = inputs_of("matrix")[0], (2 * matrix_of()).requires_grad_()
    fill = torch.tensor([0.3, 0.4], dtype=torch.float64)
    function = sampled("matrix", "linear", padding="fill", fill=fill)
    expected = torch.autograd.grad(function(image, matrix).sum(), matrix)
    output = function(image, matrix)
    fill.mul_(100)
    assert torch.equal(torch.autograd.grad(output.sum(), matrix)[0], expected[0])


def test_a_graph_is_freed_after_its_backward_and_kept_when_asked() -> None:
    image, matrix = leaves_of("matrix")
    output = sampled("matrix", "linear")(image, matrix).sum()
    first = torch.autograd.grad(output, matrix, retain_graph=True)[0]
    assert torch.equal(torch.autograd.grad(output, matrix)[0], first)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(output, matrix)


def test_saved_tensors_may_be_kept_elsewhere(calls: Calls) -> None:
    image, matrix = leaves_of("matrix")
    expected = torch.autograd.grad(sampled("matrix", "linear")(image, matrix).sum(), [image, matrix])
    packed = []

    def pack(value: Tensor) -> Any:
        packed.append(value)
        return value.numpy(force=True).copy()

    with torch.autograd.graph.saved_tensors_hooks(pack, torch.from_numpy):
        output = sampled("matrix", "linear")(image, matrix)
    actual = torch.autograd.grad(output.sum(), [image, matrix])
    assert len(packed) == 2
    assert all(torch.equal(*pair) for pair in zip(actual, expected, strict=True))
    assert calls.backwards == 2


def test_checkpointing_recomputes_the_same(calls: Calls) -> None:
    image, matrix = leaves_of("matrix")
    function = sampled("matrix", "linear")
    expected = torch.autograd.grad(function(image, matrix).square().sum(), [image, matrix])
    output = torch.utils.checkpoint.checkpoint(function, image, matrix, use_reentrant=False)
    actual = torch.autograd.grad(output.square().sum(), [image, matrix])
    assert all(torch.equal(*pair) for pair in zip(actual, expected, strict=True))
    assert calls.both == (3, 2)


@EVERY_GRID
@pytest.mark.parametrize("how", ["transposed", "expanded", "strided"])
def test_parameters_of_any_strides(how: str, grid: str, calls: Calls) -> None:
    strange: dict[str, Callable[[Tensor], Tensor]] = {
        "transposed": lambda value: value.transpose(-1, -2).contiguous().transpose(-1, -2),
        "expanded": lambda value: value[..., :1, :].expand_as(value) if value.ndim > 3 else value,
        "strided": lambda value: value.repeat_interleave(2, -1)[..., ::2],
    }
    image, *parameters = inputs_of(grid)
    results = []
    for tidy in (False, True):
        values = [strange[how](value) for value in parameters]
        leaves = [(value.contiguous() if tidy else value).detach().requires_grad_() for value in values]
        output = sampled(grid, "cubic")(image, *leaves)
        results.append([output, *torch.autograd.grad(output.sin().sum(), leaves)])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected)
    assert calls.both == (2, 2)


@pytest.mark.parametrize("layout", ["expanded", "transposed", "channels_last"])
def test_cotangents_of_any_strides(layout: str) -> None:
    image, matrix = leaves_of("matrix")
    output = sampled("matrix", "linear")(image, matrix)
    cotangent = torch.randn(output.shape, dtype=torch.float64)
    strange = {
        "expanded": cotangent[:, :, :1, :1].expand_as(cotangent),
        "transposed": cotangent.transpose(2, 3).contiguous().transpose(2, 3),
        "channels_last": cotangent.contiguous(memory_format=torch.channels_last),
    }[layout]
    actual = torch.autograd.grad(output, [image, matrix], strange, retain_graph=True)
    expected = torch.autograd.grad(output, [image, matrix], strange.contiguous())
    assert all(torch.equal(*pair) for pair in zip(actual, expected, strict=True))


def test_autocast_does_not_touch_it(calls: Calls) -> None:
    image, matrix = (value.detach().float().requires_grad_() for value in inputs_of("matrix"))
    expected = sampled("matrix", "cubic")(image, matrix)
    slopes = torch.autograd.grad(expected.sum(), [image, matrix])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = sampled("matrix", "cubic")(image, matrix)
        again = torch.autograd.grad(output.sum(), [image, matrix])
    assert torch.equal(output, expected)
    assert all(torch.equal(*pair) for pair in zip(again, slopes, strict=True))
    assert calls.both == (2, 2)


def test_another_default_device_or_type_does_not_touch_it(calls: Calls) -> None:
    image, matrix = leaves_of("matrix")
    expected = sampled("matrix", "linear", padding="fill", fill=0.5)(image, matrix)
    with torch.device("meta"):
        output = sampled("matrix", "linear", padding="fill", fill=0.5)(image, matrix)
        gradients = torch.autograd.grad(output.sum(), [image, matrix])
    assert torch.equal(output, expected)
    assert all(gradient.device.type == "cpu" for gradient in gradients)
    assert calls.both == (2, 1)
