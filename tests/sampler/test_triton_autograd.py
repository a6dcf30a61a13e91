"""The GPU kernels in autograd and in torch's compiler: derivatives, operators, what is recorded."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from support.agreement import FIELDS, Case, make_basis, make_grid, make_image, make_parameters
from support.closeness import assert_close
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.func import hessian, jvp

import torchstn as stn
from torchstn.grid.absolute import AbsolutePoints
from torchstn.sampler.fused import contract, ops
from torchstn.sampler.fused.description import describe
from torchstn.sampler.request import Request

# torch loads its own scripted formulas the first time a forward derivative is taken.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")

KINDS = ("affine", "projective", "dense", "thin_plate", "free_form", "displacement", "points")
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def _case(kind: str, **options: Any) -> Case:
    settings = {"dtype": torch.float64, "size": (4, 5), "out": (2, 3), "channels": 2, "images": 1, "grids": 1}
    return Case(kind=kind, spread=0.2, seed=1, **settings | options)  # type: ignore[arg-type]


def _call(case: Case, backend: str = "triton", **options: Any) -> Callable[..., Tensor]:
    basis = make_basis(case) if case.kind in FIELDS else None

    def call(image: Tensor, *parameters: Tensor) -> Tensor:
        grid = make_grid(case, parameters, basis)
        if isinstance(grid, AbsolutePoints):
            return stn.sample(image, grid.points, backend=backend, **options)
        return stn.sample(image, grid, backend=backend, **options)

    return call


def _leaves(case: Case, device: str) -> list[Tensor]:
    return [value.to(device).requires_grad_() for value in (make_image(case), *make_parameters(case))]


@pytest.fixture
def calls(triton_device: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls that reach the kernels."""
    seen: list[str] = []
    engine = contract.ENGINES["triton"]

    def run(*arguments: Any) -> Tensor:
        seen.append("forward")
        return engine.run(*arguments)

    def run_backward(*arguments: Any) -> list[Tensor | None]:
        seen.append("backward")
        return engine.run_backward(*arguments)

    monkeypatch.setitem(contract.ENGINES, "triton", replace(engine, run=run, run_backward=run_backward))
    return seen


@EVERY_KIND
def test_gradients_are_those_of_finite_differences(kind: str, triton_device: str, calls: list[str]) -> None:
    assert gradcheck(
        _call(_case(kind), padding="reflection"), _leaves(_case(kind), triton_device), fast_mode=True
    )
    assert "backward" in calls


def test_second_gradients_are_those_of_finite_differences(triton_device: str) -> None:
    leaves = _leaves(_case("affine"), triton_device)
    assert gradgradcheck(_call(_case("affine"), kernel="cubic"), leaves, fast_mode=True)


def test_transformations_of_torch_func_are_the_references(triton_device: str, calls: list[str]) -> None:
    image, matrix = (leaf.detach() for leaf in _leaves(_case("affine"), triton_device))
    case = _case("affine")
    tangents = (torch.randn_like(image), torch.randn_like(matrix))
    results = [jvp(_call(case, backend), (image, matrix), tangents)[1] for backend in ("auto", "reference")]
    assert torch.equal(*results)
    curvatures = [
        hessian(lambda m, b=backend: _call(case, b)(image, m).square().sum())(matrix)
        for backend in ("auto", "reference")
    ]
    assert_close(*curvatures, tolerance=1e-11)
    assert not calls


def test_gradients_are_computed_only_where_asked_for(triton_device: str, calls: list[str]) -> None:
    """Of every subset of the inputs; those left out have none."""
    case = _case("dense")
    inputs = [leaf.detach() for leaf in _leaves(case, triton_device)]
    every = [value.clone().requires_grad_() for value in inputs]
    expected = torch.autograd.grad(_call(case, "reference")(*every).square().sum(), every)
    for subset in range(1, 8):
        leaves = [value.clone().requires_grad_(bool(subset >> k & 1)) for k, value in enumerate(inputs)]
        _call(case)(*leaves).square().sum().backward()
        for leaf, gradient in zip(leaves, expected, strict=True):
            assert (leaf.grad is not None) == leaf.requires_grad
            if leaf.grad is not None:
                assert_close(leaf.grad, gradient)
    assert calls.count("backward") == 7


def test_without_gradients_nothing_is_recorded(triton_device: str, calls: list[str]) -> None:
    case = _case("affine")
    leaves = _leaves(case, triton_device)
    with torch.no_grad():
        assert not _call(case)(*leaves).requires_grad
    with torch.inference_mode():
        assert _call(case)(*leaves).is_inference()
    assert not _call(case, kernel="nearest")(leaves[0].detach(), leaves[1]).requires_grad


def test_what_was_changed_since_is_detected(triton_device: str) -> None:
    image, matrix = (leaf * 1 for leaf in _leaves(_case("affine"), triton_device))
    output = _call(_case("affine"))(image, matrix)
    matrix.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


def test_autocast_does_not_touch_it(triton_device: str) -> None:
    case = _case("affine", dtype=torch.float32)
    leaves = _leaves(case, triton_device)
    expected = _call(case)(*leaves)
    with torch.autocast(triton_device, dtype=torch.bfloat16):
        assert torch.equal(_call(case)(*leaves), expected)


def _arguments(case: Case, device: str) -> tuple[Any, ...]:
    image, *parameters = _leaves(case, device)
    kind, described = describe(Request(image, make_grid(case, parameters), None, "zeros", 0.0))  # type: ignore[arg-type]
    return image, list(described), None, kind, list(case.out), case.align_corners, 1, 0, "triton"


@EVERY_KIND
@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_the_operator_passes_torchs_own_checks(layout: str, kind: str, triton_device: str) -> None:
    torch.library.opcheck(ops.sample, _arguments(_case(kind, layout=layout), triton_device))


@EVERY_KIND
def test_the_operator_of_its_gradients_does_too(kind: str, triton_device: str) -> None:
    image, parameters, fill, *settings = _arguments(_case(kind, layout="channels_last"), triton_device)
    image, parameters = image.detach(), [parameter.detach() for parameter in parameters]
    cotangent = torch.randn_like(ops.sample(image, parameters, fill, *settings))
    wanted = [True] * (1 + len(parameters))
    wanted[3:] = [False] * len(wanted[3:])  # what a basis holds has no gradient here
    torch.library.opcheck(ops.sample_backward, (image, cotangent, parameters, fill, *settings, wanted))


@EVERY_KIND
def test_compiles_whole_forward_and_backward(kind: str, triton_device: str) -> None:
    torch._dynamo.reset()
    case, seen = _case(kind), []
    leaves = _leaves(case, triton_device)
    call = _call(case, padding="border")
    expected = call(*leaves)
    cotangent = torch.randn_like(expected)
    slopes = torch.autograd.grad(expected, leaves, cotangent)

    def watched(graph: torch.fx.GraphModule, inputs: list[Any]) -> Any:
        seen.extend(str(node.target) for node in graph.graph.nodes if "torchstn" in str(node.target))
        return torch._dynamo.lookup_backend("aot_eager")(graph, inputs)

    output = torch.compile(call, fullgraph=True, backend=watched)(*leaves)
    assert seen == ["torchstn.sample.default"]
    assert torch.equal(output, expected)
    assert output.stride() == expected.stride()
    for actual, wanted in zip(torch.autograd.grad(output, leaves, cotangent), slopes, strict=True):
        assert_close(actual, wanted)
    torch._dynamo.reset()
