"""The compiled kernels in autograd: every derivative is that of the reference."""

import pytest
import torch
from support.closeness import assert_close
from support.native_calls import DERIVED, Calls
from support.small_grids import EVERY_GRID, KERNELS, OUT, SIZE, inputs_of, leaves_of, matrix_of, sampled
from torch import Tensor
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.autograd.functional import hessian as reverse_hessian
from torch.func import hessian, jacfwd, jacrev, jvp, vjp, vmap

import torchstn as stn
from torchstn.grid import MatrixGrid

pytestmark = DERIVED


@EVERY_GRID
@KERNELS
def test_gradients_are_those_of_finite_differences(kernel: str, grid: str, calls: Calls) -> None:
    inputs = leaves_of(grid)
    assert gradcheck(sampled(grid, kernel), inputs, fast_mode=True)
    assert calls.backwards > 0
    before = calls.both
    assert gradcheck(sampled(grid, kernel), inputs, fast_mode=True, check_forward_ad=True)
    assert calls.both > before


@EVERY_GRID
@KERNELS
def test_second_gradients_are_those_of_finite_differences(kernel: str, grid: str) -> None:
    inputs = leaves_of(grid)
    assert gradgradcheck(sampled(grid, kernel), inputs, fast_mode=True, check_fwd_over_rev=True)
    assert gradgradcheck(sampled(grid, kernel), inputs, fast_mode=True, check_rev_over_rev=True)


@EVERY_GRID
@KERNELS
def test_gradients_are_computed_only_where_asked_for(kernel: str, grid: str, calls: Calls) -> None:
    """Of every subset of the inputs; those left out have none."""
    inputs = inputs_of(grid)
    expected = torch.autograd.grad(
        sampled(grid, kernel, backend="reference")(*(every := [v.clone().requires_grad_() for v in inputs]))
        .square()
        .sum(),
        every,
    )
    for subset in range(1, 2 ** len(inputs)):
        leaves = [value.clone().requires_grad_(bool(subset >> k & 1)) for k, value in enumerate(inputs)]
        sampled(grid, kernel)(*leaves).square().sum().backward()
        for leaf, gradient in zip(leaves, expected, strict=True):
            assert (leaf.grad is not None) == leaf.requires_grad
            if leaf.grad is not None:
                assert_close(leaf.grad, gradient)
    assert calls.backwards == 2 ** len(inputs) - 1


def test_without_gradients_nothing_is_recorded(calls: Calls) -> None:
    inputs = leaves_of("matrix")
    with torch.no_grad():
        assert not sampled("matrix", "linear")(*inputs).requires_grad
    with torch.inference_mode():
        assert sampled("matrix", "linear")(*inputs).is_inference()
    assert sampled("matrix", "linear")(*[value.detach() for value in inputs]).grad_fn is None
    assert calls.both == (3, 0)


def test_the_nearest_pixel_does_not_depend_on_the_grid(calls: Calls) -> None:
    image, matrix = leaves_of("matrix")
    function = sampled("matrix", "nearest")
    assert not function(image.detach(), matrix).requires_grad
    output = function(image, matrix)
    image_gradient, gradient = torch.autograd.grad(output.sum(), [image, matrix], allow_unused=True)
    assert gradient is None
    assert image_gradient.sum() == output.numel()
    assert calls.both == (2, 1)


def test_whole_numbers_have_no_gradient(calls: Calls) -> None:
    matrix = matrix_of().float().requires_grad_()
    output = stn.sample(torch.zeros(1, 1, *SIZE, dtype=torch.uint8), MatrixGrid(matrix, size=OUT))
    assert not output.requires_grad
    assert calls.forwards == 1


@KERNELS
def test_second_derivatives_in_every_order_are_one(kernel: str) -> None:
    image = torch.randn(1, 2, *SIZE, dtype=torch.float64)
    theta = matrix_of().view(1, 6)

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
    inputs = inputs_of(grid)
    tangents = tuple(torch.randn_like(value) for value in inputs)
    _, expected = jvp(sampled(grid, kernel, backend="reference"), tuple(inputs), tangents)
    assert expected.any()
    _, directional = jvp(sampled(grid, kernel), tuple(inputs), tangents)
    assert torch.equal(directional, expected)
    with forward_ad.dual_level():
        duals = [forward_ad.make_dual(*pair) for pair in zip(inputs, tangents, strict=True)]
        dual = forward_ad.unpack_dual(sampled(grid, kernel)(*duals)).tangent
    assert torch.equal(dual, expected)
    assert calls.both == (0, 0)
    value, pull = vjp(sampled(grid, kernel), *inputs)
    pulled = sum((g * t).sum() for g, t in zip(pull(torch.ones_like(value)), tangents, strict=True))
    assert_close(pulled, expected.sum(), tolerance=1e-11)


@EVERY_GRID
@KERNELS
@pytest.mark.parametrize("create_graph", [False, True])
def test_forward_over_a_recorded_backward(kernel: str, grid: str, create_graph: bool) -> None:
    """A dual cotangent reaches the backward of a call that was recorded before."""
    results = []
    inputs, direction = inputs_of(grid), torch.randn(1, 2, *OUT, dtype=torch.float64)
    for backend in ("native", "reference"):
        leaves = [value.clone().requires_grad_() for value in inputs]
        output = sampled(grid, kernel, backend=backend)(*leaves)
        with forward_ad.dual_level():
            cotangent = forward_ad.make_dual(torch.ones_like(output), direction)
            gradients = torch.autograd.grad(output, leaves, cotangent, create_graph=create_graph)
            results.append([forward_ad.unpack_dual(gradient).tangent for gradient in gradients])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected)
