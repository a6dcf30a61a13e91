"""Every way torch has of differentiating agrees with every other, and with finite differences."""

from collections.abc import Callable

import pytest
import torch
from support.closeness import assert_close
from support.points import every_pixel, random_pixels, to_normalised
from torch import Tensor
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.autograd.functional import hessian as reverse_hessian
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vjp, vmap
from torch.fx.experimental.proxy_tensor import make_fx

import torchstn as stn

# torch loads its own scripted formulas the first time a forward derivative is taken.
pytestmark = [
    pytest.mark.usefixtures("each_backend"),
    pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning"),
]

SIZE = (4, 5)
KERNELS = pytest.mark.parametrize("kernel", ["linear", "cubic", "lanczos3", "bspline3"])
PADDINGS = pytest.mark.parametrize("padding", ["zeros", "border", "reflection", "circular", "fill"])


def _sampler(kernel: str, padding: str = "zeros") -> Callable[[Tensor, Tensor], Tensor]:
    fill = 0.7 if padding == "fill" else 0.0
    return lambda image, points: stn.sample(image, points, kernel=kernel, padding=padding, fill=fill)


def _inputs(out: tuple[int, int] = (2, 3), channels: int = 1) -> tuple[Tensor, Tensor]:
    image = torch.randn(1, channels, *SIZE, dtype=torch.float64)
    return image, to_normalised(random_pixels(1, out, SIZE, beyond=1.5), SIZE, False)


def _energy(kernel: str) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """A number that depends on six parameters through an affine grid, and parameters off every pixel line."""
    image = torch.randn(1, 2, *SIZE, dtype=torch.float64)
    theta = torch.eye(2, 3, dtype=torch.float64).view(1, 6) * 0.83 + 0.0371 * torch.arange(6)

    def energy(theta: Tensor) -> Tensor:
        grid = stn.transform.Affine()(theta.view(1, 6), (3, 4))
        return _sampler(kernel)(image, grid).square().sum()

    return energy, theta


@PADDINGS
@KERNELS
def test_first_derivatives_are_those_of_finite_differences(kernel: str, padding: str) -> None:
    inputs = [value.requires_grad_() for value in _inputs()]
    assert gradcheck(_sampler(kernel, padding), inputs, check_forward_ad=True, fast_mode=True)


@KERNELS
def test_second_derivatives_are_those_of_finite_differences(kernel: str) -> None:
    inputs = [value.requires_grad_() for value in _inputs((1, 2))]
    assert gradgradcheck(_sampler(kernel, "reflection"), inputs, check_fwd_over_rev=True, fast_mode=True)


@KERNELS
@pytest.mark.parametrize("size", [(5,), (2, 3, 3)], ids=["1-D", "3-D"])
def test_other_dimensions_have_theirs(size: tuple[int, ...], kernel: str) -> None:
    image = torch.randn(1, 1, *size, dtype=torch.float64, requires_grad=True)
    pixels = random_pixels(1, (*[1] * (len(size) - 1), 3), size, beyond=1)
    points = to_normalised(pixels, size, False).requires_grad_()
    assert gradcheck(_sampler(kernel), (image, points), check_forward_ad=True, fast_mode=True)


@KERNELS
def test_second_derivatives_in_every_order_are_one(kernel: str) -> None:
    energy, theta = _energy(kernel)
    expected = reverse_hessian(energy, theta)
    assert expected.abs().min() > 1e-6
    orders = {
        "forward over forward": jacfwd(jacfwd(energy)),
        "forward over reverse": jacfwd(jacrev(energy)),
        "reverse over forward": jacrev(jacfwd(energy)),
        "reverse over reverse": jacrev(jacrev(energy)),
        "hessian": hessian(energy),
        "forward mode of torch.autograd": lambda theta: reverse_hessian(
            energy, theta, vectorize=True, outer_jacobian_strategy="forward-mode"
        ),
    }
    for name, order in orders.items():
        assert_close(order(theta), expected, tolerance=1e-11, what=name)


@KERNELS
def test_hessians_of_many_at_once(kernel: str) -> None:
    energy, theta = _energy(kernel)
    many = theta + 0.01 * torch.randn(3, 6, dtype=torch.float64)
    expected = torch.stack([hessian(energy)(one) for one in many])
    assert_close(vmap(hessian(energy))(many), expected, tolerance=1e-11)


@KERNELS
def test_directional_derivatives_agree(kernel: str) -> None:
    function = _sampler(kernel, "border")
    inputs = _inputs()
    tangents = tuple(torch.randn_like(value) for value in inputs)
    value, directional = jvp(function, inputs, tangents)
    assert_close(value, function(*inputs))

    with forward_ad.dual_level():
        duals = [forward_ad.make_dual(*pair) for pair in zip(inputs, tangents, strict=True)]
        assert_close(forward_ad.unpack_dual(function(*duals)).tangent, directional)

    _, pull = vjp(function, *inputs)
    cotangent = torch.randn_like(value)
    pulled = sum((g * t).sum() for g, t in zip(pull(cotangent), tangents, strict=True))
    assert_close(pulled, (cotangent * directional).sum(), tolerance=1e-11)


@KERNELS
def test_batched_gradients_are_the_gradients_of_the_batch(kernel: str) -> None:
    inputs = [value.requires_grad_() for value in _inputs()]
    output = _sampler(kernel)(*inputs)
    cotangents = torch.randn(4, *output.shape, dtype=torch.float64)
    batched = torch.autograd.grad(output, inputs, cotangents, retain_graph=True, is_grads_batched=True)
    single = [torch.autograd.grad(output, inputs, one, retain_graph=True) for one in cotangents]
    for actual, expected in zip(batched, zip(*single, strict=True), strict=True):
        assert_close(actual, torch.stack(expected))


@KERNELS
@pytest.mark.parametrize("in_dims", [(0, 0), (0, None), (None, 0)], ids=["both", "images", "grids"])
def test_vmap_is_a_loop(kernel: str, in_dims: tuple[int | None, int | None]) -> None:
    function = _sampler(kernel, "fill")
    many = [torch.stack(values) for values in zip(*[_inputs(channels=2) for _ in range(3)], strict=True)]
    inputs = [value if dim == 0 else value[0] for value, dim in zip(many, in_dims, strict=True)]
    expected = [
        function(*[value[i] if dim == 0 else value for value, dim in zip(inputs, in_dims, strict=True)])
        for i in range(3)
    ]
    assert_close(vmap(function, in_dims)(*inputs), torch.stack(expected))


@KERNELS
def test_per_sample_gradients(kernel: str) -> None:
    transformer = stn.SpatialTransformer(
        stn.localisation.FullyConnected(1, SIZE, hidden=(3,)), stn.transform.Affine(), stn.Sampler(kernel)
    ).double()
    torch.nn.init.normal_(transformer.head.weight, std=0.1)  # its zeros would pass no gradient on
    weights = {name: value.detach() for name, value in transformer.named_parameters()}
    images = torch.randn(3, 1, *SIZE, dtype=torch.float64)

    def loss(weights: dict[str, Tensor], image: Tensor) -> Tensor:
        return functional_call(transformer, weights, (image[None],)).square().sum()

    together = vmap(grad(loss), (None, 0))(weights, images)
    for number, image in enumerate(images):
        for name, expected in grad(loss)(weights, image).items():
            assert_close(together[name][number], expected, tolerance=1e-11, what=name)


@KERNELS
def test_traced_it_is_the_same(kernel: str) -> None:
    inputs = [torch.randn(1, 1, 6, dtype=torch.float64), torch.rand(1, 4, 1, dtype=torch.float64)]
    function = _sampler(kernel)

    def slopes(image: Tensor, points: Tensor) -> tuple[Tensor, ...]:
        return grad(lambda *values: function(*values).square().sum(), (0, 1))(image, points)

    for traced in (function, slopes):
        graph = make_fx(traced)(*inputs)
        others = [value * 0.9 for value in inputs]
        for actual, expected in zip(graph(*others), traced(*others), strict=True):
            assert_close(actual, expected)


@KERNELS
def test_nothing_learned_under_a_transform_outlives_it(kernel: str) -> None:
    """What was computed inside a nested transform must not be recalled outside, where its wrapper is dead."""
    length = {"linear": 91, "cubic": 92, "lanczos3": 93, "bspline3": 94}[
        kernel
    ]  # not yet met in this process
    image = torch.randn(1, 1, length, dtype=torch.float64)
    points = torch.full((1, 1, 1), 0.123, dtype=torch.float64)
    sample = _sampler(kernel)
    first = hessian(lambda value: sample(image, value).sum())(points)
    again = hessian(lambda value: sample(image, value).sum())(points)
    assert_close(again, first)
    assert sample(image, points).isfinite().all()


@KERNELS
@pytest.mark.parametrize("align_corners", [False, True], ids=["edges", "centres"])
def test_on_pixel_lines_every_derivative_is_the_right_hand_one(kernel: str, align_corners: bool) -> None:
    """At every pixel of an image, where the identity reads: first and second derivative."""
    size = (8, 4) if not align_corners else (9, 5)  # whole pixels are whole again after normalising
    image = torch.randn(1, 2, *size, dtype=torch.float64)
    origin = every_pixel(size)

    def slope(shift: Tensor) -> Tensor:
        points = to_normalised(origin + shift, size, align_corners)
        output = stn.sample(image, points, kernel=kernel, align_corners=align_corners)
        return output.sum((2, 3)).flatten()

    at, right = torch.zeros(2, dtype=torch.float64), torch.full((2,), 1e-9, dtype=torch.float64)
    assert_close(jacrev(slope)(at), jacrev(slope)(right), tolerance=1e-6)
    assert_close(jacfwd(slope)(at), jacrev(slope)(at))
    second = jacrev(jacrev(slope))(right)
    for order in (jacrev(jacrev(slope)), jacfwd(jacrev(slope)), jacrev(jacfwd(slope)), jacfwd(jacfwd(slope))):
        assert_close(order(at), second, tolerance=1e-6)
    step = 1e-4
    for axis in range(2):
        shift = torch.zeros(2, dtype=torch.float64)
        shift[axis] = step
        # Three values to the right: a one-sided difference that is exact for parabolas.
        difference = (4 * slope(at + shift) - slope(at + 2 * shift) - 3 * slope(at)) / (2 * step)
        assert_close(jacrev(slope)(at)[:, axis], difference, tolerance=1e-5)
