"""The compiled kernels in autograd: every derivative and transformation is that of the reference."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from support.closeness import assert_close
from support.points import random_pixels, to_normalised
from torch import Tensor
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.autograd.functional import hessian as reverse_hessian
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vjp, vmap
from torch.fx.experimental.proxy_tensor import make_fx

import torchstn as stn
from torchstn.grid import BasisGrid, DenseBasis, MatrixGrid, PointGrid, SplineBasis, ThinPlateBasis
from torchstn.sampler.native import extension

# torch loads its own scripted formulas the first time a forward derivative is taken.
pytestmark = [
    pytest.mark.usefixtures("compiled"),
    pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning"),
]

SIZE, OUT = (4, 5), (2, 3)
KERNELS = pytest.mark.parametrize("kernel", ["linear", "cubic"])


class Calls:
    """Counts the calls into the compiled extension."""

    def __init__(self, module: Any) -> None:
        self.module, self.forwards, self.backwards = module, 0, 0

    def forward(self, *args: Any) -> None:
        self.forwards += 1
        self.module.forward(*args)

    def backward(self, *args: Any) -> None:
        self.backwards += 1
        self.module.backward(*args)

    @property
    def both(self) -> tuple[int, int]:
        return self.forwards, self.backwards


@pytest.fixture
def calls(compiled: Any, monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls = Calls(compiled)
    monkeypatch.setattr(extension._extension, "loaded", calls)
    return calls


def _matrix(scale: float = 0.1, d: int = 2) -> Tensor:
    return (torch.eye(d, d + 1) * 0.9 + scale * torch.randn(1, d, d + 1)).double()


def _projective(matrix: Tensor) -> MatrixGrid:
    last = torch.tensor([0.11, -0.07, 1.0], dtype=matrix.dtype).expand(1, 1, 3)
    return MatrixGrid(torch.cat([matrix, last], 1), size=OUT)


def _offsets(count: int) -> Tensor:
    return 0.1 * torch.randn(1, count, 2, dtype=torch.float64)


VALUES = torch.randn(3, *OUT, dtype=torch.float64)
GRIDS: dict[str, tuple[Callable[..., Any], Callable[[], tuple[Tensor, ...]]]] = {
    "matrix": (lambda matrix: MatrixGrid(matrix, size=OUT), lambda: (_matrix(),)),
    "projective": (_projective, lambda: (_matrix(),)),
    "dense": (
        lambda matrix, offsets: BasisGrid(matrix, offsets, DenseBasis(VALUES), size=OUT),
        lambda: (_matrix(), _offsets(3)),
    ),
    "thin plate": (
        lambda matrix, offsets: BasisGrid(matrix, offsets, ThinPlateBasis((2, 3)), size=OUT),
        lambda: (_matrix(), _offsets(6)),
    ),
    "free form": (
        lambda matrix, offsets: BasisGrid(matrix, offsets, SplineBasis((4, 5)), size=OUT),
        lambda: (_matrix(), _offsets(20)),
    ),
    "displacement": (PointGrid, lambda: (0.2 * torch.randn(1, *OUT, 2, dtype=torch.float64),)),
    "points": (
        lambda points: points,
        lambda: (to_normalised(random_pixels(1, OUT, SIZE, beyond=1.0), SIZE, False),),
    ),
    "learned basis": (
        lambda matrix, offsets, values: BasisGrid(matrix, offsets, DenseBasis(values), size=OUT),
        lambda: (_matrix(), _offsets(3), VALUES.clone()),
    ),
}
EVERY_GRID = pytest.mark.parametrize("grid", GRIDS)


def _function(grid: str, kernel: str, padding: str = "reflection", **options: Any) -> Callable[..., Tensor]:
    make = GRIDS[grid][0]
    return lambda image, *parameters: stn.sample(
        image, make(*parameters), kernel=kernel, padding=padding, **options
    )


def _inputs(grid: str) -> list[Tensor]:
    return [torch.randn(1, 2, *SIZE, dtype=torch.float64), *GRIDS[grid][1]()]


def _leaves(grid: str) -> list[Tensor]:
    return [value.requires_grad_() for value in _inputs(grid)]


@EVERY_GRID
@KERNELS
def test_gradients_are_those_of_finite_differences(kernel: str, grid: str, calls: Calls) -> None:
    inputs = _leaves(grid)
    assert gradcheck(_function(grid, kernel), inputs, fast_mode=True)
    assert calls.backwards > 0
    before = calls.both
    assert gradcheck(_function(grid, kernel), inputs, fast_mode=True, check_forward_ad=True)
    assert calls.both > before


@EVERY_GRID
@KERNELS
def test_second_gradients_are_those_of_finite_differences(kernel: str, grid: str) -> None:
    inputs = _leaves(grid)
    assert gradgradcheck(_function(grid, kernel), inputs, fast_mode=True, check_fwd_over_rev=True)
    assert gradgradcheck(_function(grid, kernel), inputs, fast_mode=True, check_rev_over_rev=True)


@EVERY_GRID
@KERNELS
def test_gradients_are_computed_only_where_asked_for(kernel: str, grid: str, calls: Calls) -> None:
    """Of every subset of the inputs; those left out have none."""
    inputs = _inputs(grid)
    expected = torch.autograd.grad(
        _function(grid, kernel, backend="reference")(*(every := [v.clone().requires_grad_() for v in inputs]))
        .square()
        .sum(),
        every,
    )
    for subset in range(1, 2 ** len(inputs)):
        leaves = [value.clone().requires_grad_(bool(subset >> k & 1)) for k, value in enumerate(inputs)]
        _function(grid, kernel)(*leaves).square().sum().backward()
        for leaf, gradient in zip(leaves, expected, strict=True):
            assert (leaf.grad is not None) == leaf.requires_grad
            if leaf.grad is not None:
                assert_close(leaf.grad, gradient)
    assert calls.backwards == 2 ** len(inputs) - 1


def test_without_gradients_nothing_is_recorded(calls: Calls) -> None:
    inputs = _leaves("matrix")
    with torch.no_grad():
        assert not _function("matrix", "linear")(*inputs).requires_grad
    with torch.inference_mode():
        assert _function("matrix", "linear")(*inputs).is_inference()
    assert _function("matrix", "linear")(*[value.detach() for value in inputs]).grad_fn is None
    assert calls.both == (3, 0)


def test_the_nearest_pixel_does_not_depend_on_the_grid(calls: Calls) -> None:
    image, matrix = _leaves("matrix")
    function = _function("matrix", "nearest")
    assert not function(image.detach(), matrix).requires_grad
    output = function(image, matrix)
    image_gradient, gradient = torch.autograd.grad(output.sum(), [image, matrix], allow_unused=True)
    assert gradient is None
    assert image_gradient.sum() == output.numel()
    assert calls.both == (2, 1)


def test_whole_numbers_have_no_gradient(calls: Calls) -> None:
    matrix = _matrix().float().requires_grad_()
    output = stn.sample(torch.zeros(1, 1, *SIZE, dtype=torch.uint8), MatrixGrid(matrix, size=OUT))
    assert not output.requires_grad
    assert calls.forwards == 1


@KERNELS
def test_second_derivatives_in_every_order_are_one(kernel: str) -> None:
    image = torch.randn(1, 2, *SIZE, dtype=torch.float64)
    theta = _matrix().view(1, 6)

    def energy(theta: Tensor, backend: str = "auto") -> Tensor:
        grid = stn.transform.Affine()(theta, (3, 4))
        return stn.sample(image, grid, kernel=kernel, backend=backend).square().sum()

    expected = reverse_hessian(lambda theta: energy(theta, "reference"), theta)
    orders = {
        "forward over forward": jacfwd(jacfwd(energy)),
        "forward over reverse": jacfwd(jacrev(energy)),
        "reverse over forward": jacrev(jacfwd(energy)),
        "reverse over reverse": jacrev(jacrev(energy)),
        "hessian": hessian(energy),
        "torch.autograd": lambda theta: reverse_hessian(energy, theta),
        "torch.autograd, vectorised": lambda theta: reverse_hessian(energy, theta, vectorize=True),
        "torch.autograd, forward": lambda theta: reverse_hessian(
            energy, theta, vectorize=True, outer_jacobian_strategy="forward-mode"
        ),
    }
    for name, order in orders.items():
        assert_close(order(theta), expected, tolerance=1e-11, what=name)
    many = theta + 0.01 * torch.randn(3, 1, 6, dtype=torch.float64)
    every = torch.stack([reverse_hessian(lambda theta: energy(theta, "reference"), one) for one in many])
    assert_close(vmap(hessian(energy))(many), every, tolerance=1e-11)


@EVERY_GRID
@KERNELS
def test_directional_derivatives_are_the_references(kernel: str, grid: str, calls: Calls) -> None:
    inputs = _inputs(grid)
    tangents = tuple(torch.randn_like(value) for value in inputs)
    _, expected = jvp(_function(grid, kernel, backend="reference"), tuple(inputs), tangents)
    assert expected.any()
    _, directional = jvp(_function(grid, kernel), tuple(inputs), tangents)
    assert torch.equal(directional, expected)
    with forward_ad.dual_level():
        duals = [forward_ad.make_dual(*pair) for pair in zip(inputs, tangents, strict=True)]
        dual = forward_ad.unpack_dual(_function(grid, kernel)(*duals)).tangent
    assert torch.equal(dual, expected)
    assert calls.both == (0, 0)
    value, pull = vjp(_function(grid, kernel), *inputs)
    pulled = sum((g * t).sum() for g, t in zip(pull(torch.ones_like(value)), tangents, strict=True))
    assert_close(pulled, expected.sum(), tolerance=1e-11)


@EVERY_GRID
@KERNELS
@pytest.mark.parametrize("create_graph", [False, True])
def test_forward_over_a_recorded_backward(kernel: str, grid: str, create_graph: bool) -> None:
    """A dual cotangent reaches the backward of a call that was recorded before."""
    results = []
    inputs, direction = _inputs(grid), torch.randn(1, 2, *OUT, dtype=torch.float64)
    for backend in ("native", "reference"):
        leaves = [value.clone().requires_grad_() for value in inputs]
        output = _function(grid, kernel, backend=backend)(*leaves)
        with forward_ad.dual_level():
            cotangent = forward_ad.make_dual(torch.ones_like(output), direction)
            gradients = torch.autograd.grad(output, leaves, cotangent, create_graph=create_graph)
            results.append([forward_ad.unpack_dual(gradient).tangent for gradient in gradients])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected)


@EVERY_GRID
@KERNELS
def test_batched_gradients_are_the_gradients_of_the_batch(kernel: str, grid: str, calls: Calls) -> None:
    leaves = _leaves(grid)
    output = _function(grid, kernel)(*leaves)
    cotangents = torch.randn(4, *output.shape, dtype=torch.float64)
    batched = torch.autograd.grad(output, leaves, cotangents, retain_graph=True, is_grads_batched=True)
    assert calls.backwards == 0
    single = [torch.autograd.grad(output, leaves, one, retain_graph=True) for one in cotangents]
    assert calls.backwards == 4
    for actual, expected in zip(batched, zip(*single, strict=True), strict=True):
        assert_close(actual, torch.stack(expected))
    mapped = vmap(lambda one: torch.autograd.grad(output, leaves, one, retain_graph=True))(cotangents)
    for actual, expected in zip(mapped, batched, strict=True):
        assert_close(actual, expected)


@KERNELS
@pytest.mark.parametrize("in_dims", [(0, 0), (0, None), (None, 0)], ids=["both", "images", "grids"])
def test_vmap_is_a_loop(kernel: str, in_dims: tuple[int | None, int | None]) -> None:
    function = _function("matrix", kernel)
    many = [torch.stack(values) for values in zip(*[_inputs("matrix") for _ in range(3)], strict=True)]
    inputs = [value if dim == 0 else value[0] for value, dim in zip(many, in_dims, strict=True)]
    loop = [
        function(*[value[i] if dim == 0 else value for value, dim in zip(inputs, in_dims, strict=True)])
        for i in range(3)
    ]
    assert_close(vmap(function, in_dims)(*inputs), torch.stack(loop))


@KERNELS
def test_per_sample_gradients(kernel: str) -> None:
    transformer = stn.SpatialTransformer(
        stn.localisation.FullyConnected(1, SIZE, hidden=(3,)), stn.transform.Affine(), stn.Sampler(kernel)
    ).double()
    torch.nn.init.normal_(transformer.head.weight, std=0.1)
    weights = {name: value.detach() for name, value in transformer.named_parameters()}
    images = torch.randn(3, 1, *SIZE, dtype=torch.float64)

    def loss(weights: dict[str, Tensor], image: Tensor) -> Tensor:
        return functional_call(transformer, weights, (image[None],)).square().sum()

    together = vmap(grad(loss), (None, 0))(weights, images)
    for number, image in enumerate(images):
        transformer.zero_grad()
        loss(dict(transformer.named_parameters()), image).backward()
        for name, parameter in transformer.named_parameters():
            assert_close(together[name][number], parameter.grad, tolerance=1e-11, what=name)


@EVERY_GRID
@KERNELS
def test_traced_by_make_fx_it_is_the_same(kernel: str, grid: str, calls: Calls) -> None:
    function, inputs = _function(grid, kernel), _inputs(grid)

    def slopes(*values: Tensor) -> tuple[Tensor, ...]:
        leaves = [value.detach().requires_grad_() for value in values]
        return torch.autograd.grad(function(*leaves).square().sum(), leaves)

    for traced in (function, slopes):
        graph = make_fx(traced)(*inputs)
        assert calls.both == (0, 0)
        others = [value * 0.9 for value in inputs]
        for actual, expected in zip(graph(*others), traced(*others), strict=True):
            assert_close(actual, expected)
        calls.forwards = calls.backwards = 0


@pytest.mark.parametrize("grid", ["matrix", "dense", "thin plate", "free form", "displacement", "points"])
def test_what_was_changed_since_is_detected(grid: str) -> None:
    """Of what a backward pass reads, as everywhere in torch. The other grids hand over copies."""
    for number in range(len(_inputs(grid))):
        leaves = _leaves(grid)
        values = [leaf * 1 for leaf in leaves]
        output = _function(grid, "linear")(*values)
        values[number].mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            output.sum().backward()


def test_a_fill_that_is_changed_since_does_not_matter() -> None:
    image, matrix = _inputs("matrix")[0], (2 * _matrix()).requires_grad_()
    fill = torch.tensor([0.3, 0.4], dtype=torch.float64)
    function = _function("matrix", "linear", padding="fill", fill=fill)
    expected = torch.autograd.grad(function(image, matrix).sum(), matrix)
    output = function(image, matrix)
    fill.mul_(100)
    assert torch.equal(torch.autograd.grad(output.sum(), matrix)[0], expected[0])


def test_a_graph_is_freed_after_its_backward_and_kept_when_asked() -> None:
    image, matrix = _leaves("matrix")
    output = _function("matrix", "linear")(image, matrix).sum()
    first = torch.autograd.grad(output, matrix, retain_graph=True)[0]
    assert torch.equal(torch.autograd.grad(output, matrix)[0], first)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(output, matrix)


def test_saved_tensors_may_be_kept_elsewhere(calls: Calls) -> None:
    image, matrix = _leaves("matrix")
    expected = torch.autograd.grad(_function("matrix", "linear")(image, matrix).sum(), [image, matrix])
    packed = []

    def pack(value: Tensor) -> Any:
        packed.append(value)
        return value.numpy(force=True).copy()

    with torch.autograd.graph.saved_tensors_hooks(pack, torch.from_numpy):
        output = _function("matrix", "linear")(image, matrix)
    actual = torch.autograd.grad(output.sum(), [image, matrix])
    assert len(packed) == 2
    assert all(torch.equal(*pair) for pair in zip(actual, expected, strict=True))
    assert calls.backwards == 2


def test_checkpointing_recomputes_the_same(calls: Calls) -> None:
    image, matrix = _leaves("matrix")
    function = _function("matrix", "linear")
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
    image, *parameters = _inputs(grid)
    results = []
    for tidy in (False, True):
        values = [strange[how](value) for value in parameters]
        leaves = [(value.contiguous() if tidy else value).detach().requires_grad_() for value in values]
        output = _function(grid, "cubic")(image, *leaves)
        results.append([output, *torch.autograd.grad(output.sin().sum(), leaves)])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected)
    assert calls.both == (2, 2)


@pytest.mark.parametrize("layout", ["expanded", "transposed", "channels_last"])
def test_cotangents_of_any_strides(layout: str) -> None:
    image, matrix = _leaves("matrix")
    output = _function("matrix", "linear")(image, matrix)
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
    image, matrix = (value.detach().float().requires_grad_() for value in _inputs("matrix"))
    expected = _function("matrix", "cubic")(image, matrix)
    slopes = torch.autograd.grad(expected.sum(), [image, matrix])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = _function("matrix", "cubic")(image, matrix)
        again = torch.autograd.grad(output.sum(), [image, matrix])
    assert torch.equal(output, expected)
    assert all(torch.equal(*pair) for pair in zip(again, slopes, strict=True))
    assert calls.both == (2, 2)


def test_another_default_device_or_type_does_not_touch_it(calls: Calls) -> None:
    image, matrix = _leaves("matrix")
    expected = _function("matrix", "linear", padding="fill", fill=0.5)(image, matrix)
    with torch.device("meta"):
        output = _function("matrix", "linear", padding="fill", fill=0.5)(image, matrix)
        gradients = torch.autograd.grad(output.sum(), [image, matrix])
    assert torch.equal(output, expected)
    assert all(gradient.device.type == "cpu" for gradient in gradients)
    assert calls.both == (2, 1)
