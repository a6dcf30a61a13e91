"""The compiled kernels under vmap, per-sample gradients and tracing."""

import pytest
import torch
from support.closeness import assert_close
from support.native_calls import DERIVED, Calls
from support.small_grids import EVERY_GRID, KERNELS, SIZE, inputs_of, leaves_of, sampled
from torch import Tensor
from torch.func import functional_call, grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx

import torchstn as stn

pytestmark = DERIVED


@EVERY_GRID
@KERNELS
def test_batched_gradients_are_the_gradients_of_the_batch(kernel: str, grid: str, calls: Calls) -> None:
    leaves = leaves_of(grid)
    output = sampled(grid, kernel)(*leaves)
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
    function = sampled("matrix", kernel)
    many = [torch.stack(values) for values in zip(*[inputs_of("matrix") for _ in range(3)], strict=True)]
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
    function, inputs = sampled(grid, kernel), inputs_of(grid)

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
