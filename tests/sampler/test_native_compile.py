"""The compiled kernels as operators: torch.compile takes them whole, torch.export leaves them out."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from support.agreement import FIELDS, Case, make_basis, make_grid, make_image, make_parameters
from support.closeness import assert_close
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

import torchstn as stn
from torchstn.grid.absolute import AbsolutePoints
from torchstn.sampler.fused import ops
from torchstn.sampler.fused.description import describe
from torchstn.sampler.native.extension import missing
from torchstn.sampler.request import Request

pytestmark = pytest.mark.usefixtures("compiled")

KINDS = ("affine", "projective", "thin_plate", "dense", "free_form", "points", "displacement")
CASES = [
    Case(kind=kind, dtype=torch.float64, layout=layout, size=size, out=out)
    for kind in KINDS
    for size, out in (((5, 7), (6, 4)), ((3, 4, 5), (4, 2, 3)))
    for layout in ("contiguous", "channels_last")
]


def _name(case: Case) -> str:
    return f"{case.kind}-{len(case.size)}d-{case.layout}"


EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=_name)


@pytest.fixture(autouse=True)
def fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def _call(case: Case, **options: Any) -> Callable[..., Tensor]:
    basis = make_basis(case) if case.kind in FIELDS else None

    def call(image: Tensor, *parameters: Tensor) -> Tensor:
        grid = make_grid(case, parameters, basis)
        if isinstance(grid, AbsolutePoints):
            return stn.sample(image, grid.points, align_corners=grid.align_corners, **options)
        return stn.sample(image, grid, **options)

    return call


def _leaves(case: Case) -> list[Tensor]:
    return [value.requires_grad_() for value in (make_image(case), *make_parameters(case))]


def _operators(seen: list[torch.fx.GraphModule]) -> list[str]:
    return [
        str(node.target) for graph in seen for node in graph.graph.nodes if "torchstn" in str(node.target)
    ]


def _watched(seen: list[torch.fx.GraphModule], name: str = "aot_eager") -> Callable[..., Any]:
    def backend(graph: torch.fx.GraphModule, inputs: list[Any]) -> Any:
        seen.append(graph)
        return torch._dynamo.lookup_backend(name)(graph, inputs)

    return backend


@EVERY_CASE
def test_compiles_whole_forward_and_backward(case: Case) -> None:
    leaves, seen = _leaves(case), []
    call = _call(case, padding="border")
    expected = call(*leaves)
    cotangent = torch.randn_like(expected)
    slopes = torch.autograd.grad(expected, leaves, cotangent)
    output = torch.compile(call, fullgraph=True, backend=_watched(seen))(*leaves)
    assert _operators(seen) == ["torchstn.sample.default"]
    assert torch.equal(output, expected)
    assert output.stride() == expected.stride()
    for actual, wanted in zip(torch.autograd.grad(output, leaves, cotangent), slopes, strict=True):
        assert_close(actual, wanted)


@pytest.mark.parametrize("padding", ["zeros", "fill"])
@pytest.mark.parametrize("kernel", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.uint8], ids=str)
def test_compiles_every_kernel_and_type(kernel: str, padding: str, dtype: torch.dtype) -> None:
    case, seen = Case(dtype=dtype), []
    image, matrix = make_image(case), make_parameters(case)[0].requires_grad_()
    if dtype.is_floating_point:
        image.requires_grad_()
    call = _call(case, kernel=kernel, padding=padding, **({"fill": [1, 2, 3]} if padding == "fill" else {}))
    expected, output = (
        call(image, matrix),
        torch.compile(call, fullgraph=True, backend=_watched(seen))(image, matrix),
    )
    assert _operators(seen) == ["torchstn.sample.default"]
    assert torch.equal(output, expected)
    assert output.requires_grad == expected.requires_grad
    if expected.requires_grad:
        for leaf in (image, matrix):
            slopes = [
                torch.autograd.grad(y.sum(), leaf, retain_graph=True, allow_unused=True)[0]
                for y in (output, expected)
            ]
            assert (slopes[0] is None) == (slopes[1] is None)
            assert slopes[0] is None or torch.equal(*slopes)


@pytest.mark.parametrize("kind", KINDS)
def test_one_graph_serves_every_batch_and_size(kind: str) -> None:
    counter = CompileCounterWithBackend("aot_eager")
    call = _call(Case(kind=kind))
    compiled = torch.compile(call, fullgraph=True, dynamic=True, backend=counter)
    counts = []
    for batch, size in ((5, (11, 7)), (7, (9, 8)), (9, (6, 12))):
        now = Case(kind=kind, channels=2, images=batch, grids=batch, size=size, seed=2)
        leaves = _leaves(now)
        output, expected = compiled(*leaves), call(*leaves)
        assert torch.equal(output, expected)
        for one, other in zip(
            *[torch.autograd.grad(y.square().sum(), leaves) for y in (output, expected)], strict=True
        ):
            assert_close(one, other)
        counts.append(counter.frame_count)
    assert counts == counts[:1] * 3


@pytest.mark.slow
def test_inductor_keeps_the_layout_and_the_values() -> None:
    for layout in ("contiguous", "channels_last"):
        case = Case(layout=layout, kernel="cubic")
        leaves = _leaves(case)

        def call(image: Tensor, matrix: Tensor, case: Case = case) -> Tensor:
            return _call(case, kernel="cubic")((image * 2).relu(), matrix * 0.9) * 3

        output, expected = torch.compile(call, fullgraph=True)(*leaves), call(*leaves)
        assert_close(output, expected)
        for one, other in zip(
            *[torch.autograd.grad(y.square().sum(), leaves) for y in (output, expected)], strict=True
        ):
            assert_close(one, other)


def _arguments(case: Case, gradients: bool = True) -> tuple[Any, ...]:
    image, *parameters = [
        value.requires_grad_(gradients) for value in (make_image(case), *make_parameters(case))
    ]
    kind, described = describe(Request(image, make_grid(case, parameters), None, "zeros", 0.0))  # type: ignore[arg-type]
    return image, list(described), None, kind, list(case.out), case.align_corners, 1, 0, "native"


@EVERY_CASE
def test_the_operator_passes_torchs_own_checks(case: Case) -> None:
    assert missing() is None
    torch.library.opcheck(ops.sample, _arguments(case))


@EVERY_CASE
def test_the_operator_of_its_gradients_does_too(case: Case) -> None:
    image, parameters, fill, *settings = _arguments(case, gradients=False)
    cotangent = torch.randn(ops.sample(image, parameters, fill, *settings).shape, dtype=image.dtype)
    wanted = [True] * (1 + len(parameters))
    wanted[3:] = [False] * len(wanted[3:])  # what a basis holds has no gradient here
    torch.library.opcheck(ops.sample_backward, (image, cotangent, parameters, fill, *settings, wanted))


@EVERY_CASE
def test_the_operators_gradients_are_those_of_eager_calls(case: Case) -> None:
    arguments = _arguments(case)
    image, parameters = arguments[0], [value for value in arguments[1] if value.requires_grad]
    output = ops.sample(*arguments)
    cotangent = torch.randn_like(output)
    gradients = torch.autograd.grad(output, [image, *parameters], cotangent)
    eager = _call(case)(image, *parameters)
    for actual, expected in zip(
        gradients, torch.autograd.grad(eager, [image, *parameters], cotangent), strict=True
    ):
        assert torch.equal(actual, expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_an_exported_program_runs_without_the_extension(strict: bool, kind: str) -> None:
    case = Case(kind=kind)
    values, call = (make_image(case), *make_parameters(case)), _call(case)

    class Model(torch.nn.Module):
        def forward(self, image: Tensor, *parameters: Tensor) -> Tensor:
            return call(image, *parameters)

    program = torch.export.export(Model(), values, strict=strict)
    assert not [node for node in program.graph.nodes if "torchstn" in str(node.target)]
    assert_close(program.module()(*values), _call(case)(*values))


def test_compiled_transformations_of_torch_func_take_the_reference() -> None:
    case = Case(dtype=torch.float64)
    image, matrix = make_image(case), make_parameters(case)[0]

    def energy(matrix: Tensor) -> Tensor:
        return _call(case)(image, matrix).square().sum()

    for transform in (
        torch.func.grad(energy),
        lambda matrix: torch.func.jvp(energy, (matrix,), (matrix,))[1],
        lambda matrix: torch.func.vmap(energy)(matrix.unsqueeze(0)),
    ):
        seen: list[torch.fx.GraphModule] = []
        actual = torch.compile(transform, fullgraph=True, backend=_watched(seen))(matrix)
        assert _operators(seen) == []
        assert_close(actual, transform(matrix), tolerance=1e-11)


def test_compiles_under_autocast_as_without() -> None:
    case, seen = Case(), []
    leaves = _leaves(case)
    expected = _call(case)(*leaves)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = torch.compile(_call(case), fullgraph=True, backend=_watched(seen))(*leaves)
    assert torch.equal(output, expected)
    assert _operators(seen) == ["torchstn.sample.default"]


def test_the_extension_is_loaded_by_the_first_trace() -> None:
    """Of a process in which nothing was sampled yet."""
    program = """
import sys, torch, torchstn as stn
assert "torchstn._native" not in sys.modules

def warp(x, m):
    return stn.sample(x, stn.grid.MatrixGrid(m, size=(3, 4)))

call = torch.compile(warp, fullgraph=True, backend="eager")
print(call(torch.ones(1, 1, 3, 4), torch.eye(2, 3)[None]).sum().item(), "torchstn._native" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["12.0", "True"]
