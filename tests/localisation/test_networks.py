"""The paper's localisation networks: their sizes, their arithmetic, their refusals."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from support.closeness import assert_close
from torch import Tensor, nn

import torchstn as stn
from torchstn.localisation import Convolutional, FullyConnected, Localisation, RegressionHead

CANVASES = [(28, 28), (42, 42), (60, 60)]


def parameters(network: Localisation, n_parameters: int) -> int:
    """Of the network with its regression layer, counted tensor by tensor."""
    head = RegressionHead(network.out_features, n_parameters)
    return sum(p.numel() for module in (network, head) for p in module.parameters())


def rectified(value: Tensor, leak: float) -> Tensor:
    return torch.where(value > 0, value, leak * value)


def fully_connected(image: Tensor, weights: list[Tensor], leak: float) -> Tensor:
    value = image.reshape(len(image), -1)
    for weight, bias in zip(weights[::2], weights[1::2], strict=True):
        value = rectified(value @ weight.T + bias, leak)
    return value


def convolutional(image: Tensor, weights: list[Tensor], leak: float) -> Tensor:
    """In two dimensions, by unfolding: no convolution and no pooling of torch's."""
    image = image.unfold(2, 2, 2).unfold(3, 2, 2).mean((-2, -1))
    for number in (0, 2):
        weight, bias = weights[number : number + 2]
        windows = image.unfold(2, 5, 1).unfold(3, 5, 1)
        image = torch.einsum("nchwij,ocij->nohw", windows, weight) + bias.view(1, -1, 1, 1)
        image = rectified(image, leak)
        if number == 0:
            image = image.unfold(2, 2, 2).unfold(3, 2, 2).amax((-2, -1))
    return fully_connected(image, weights[4:], leak)


@pytest.mark.parametrize(
    ("kind", "thousands"), [(FullyConnected, (27.4, 58.8, 117.5)), (Convolutional, (11.1, 17.1, 43.1))]
)
def test_the_paper_has_as_many_parameters(
    kind: Callable[..., Localisation], thousands: tuple[float, ...]
) -> None:
    affine = stn.transform.Affine().n_parameters
    counts = [round(parameters(kind(1, size), affine) / 1000, 1) for size in CANVASES]
    assert counts == list(thousands)


@pytest.mark.parametrize(("kind", "more"), [(FullyConnected, 858), (Convolutional, 546)])
def test_a_thin_plate_costs_the_paper_as_many_more(kind: Callable[..., Localisation], more: int) -> None:
    affine, spline = stn.transform.Affine().n_parameters, stn.transform.ThinPlate(4).n_parameters
    network = kind(1, (28, 28))
    assert parameters(network, spline) - parameters(network, affine) == more


@pytest.mark.parametrize(
    ("kind", "oracle"), [(FullyConnected, fully_connected), (Convolutional, convolutional)]
)
@pytest.mark.parametrize("size", [(28, 28), (31, 42)])
@pytest.mark.parametrize("leak", [0.0, 0.1])
def test_computes_what_the_paper_says(
    kind: Callable[..., Localisation], oracle: Callable[..., Tensor], size: tuple[int, int], leak: float
) -> None:
    """And with a slope below zero, which the paper has not."""
    network = kind(2, size, leak=leak).double()
    image = torch.randn(3, 2, *size, dtype=torch.float64)
    even = image[..., : size[0] // 2 * 2, : size[1] // 2 * 2] if kind is Convolutional else image
    assert_close(network(image), oracle(even, list(network.parameters()), leak), tolerance=1e-13)


@pytest.mark.parametrize("size", [(64,), (30, 34), (28, 29, 30)], ids=["1d", "2d", "3d"])
@pytest.mark.parametrize("kind", [FullyConnected, Convolutional])
def test_in_every_dimension(kind: Callable[..., Localisation], size: tuple[int, ...]) -> None:
    network = kind(3, size)
    image = torch.randn(2, 3, *size)
    features = network(image)
    assert features.shape == (2, network.out_features)
    # The second image is not seen by the first.
    assert_close(network(image[:1]), features[:1])
    features.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("kind", [FullyConnected, Convolutional])
def test_units_that_leak_cannot_die(kind: Callable[..., Localisation]) -> None:
    for leak in (0.0, 0.1):
        network = kind(1, (28, 28), leak=leak)
        with torch.no_grad():
            for module in network.modules():
                if isinstance(module, nn.Linear | nn.Conv2d):
                    module.bias.fill_(-100.0)
        network(torch.rand(2, 1, 28, 28)).sum().backward()
        learns = [bool((p.grad != 0).any()) for p in network.parameters() if p.grad is not None]
        assert all(learns) if leak else not any(learns)


@pytest.mark.parametrize("kind", [FullyConnected, Convolutional])
@pytest.mark.parametrize("leak", [-0.1, 1.0, float("nan")])
def test_refuses_a_leak_that_is_none(kind: Callable[..., Localisation], leak: float) -> None:
    with pytest.raises(ValueError, match=r"`leak` must be in \[0, 1\), got"):
        kind(1, (28, 28), leak=leak)
    with pytest.raises(TypeError, match=r"`leak` must be a number, got 'a'"):
        kind(1, (28, 28), leak="a")


def test_widths_are_the_users() -> None:
    assert FullyConnected(1, (8, 8), (5, 7)).out_features == 7
    network = Convolutional(1, (16, 16), filters=3, kernel_size=3, hidden=4, downsample=1)
    shapes = [tuple(parameter.shape) for parameter in network.parameters() if parameter.ndim > 1]
    assert shapes == [(3, 1, 3, 3), (3, 3, 3, 3), (4, 3 * 5 * 5)]
    assert network(torch.rand(2, 1, 16, 16)).shape == (2, 4)


@pytest.mark.parametrize("options", [{}, {"downsample": 1}, {"kernel_size": 3}], ids=str)
def test_the_smallest_size_it_names_works(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"`size` must be at least \d+ .*got \(1, 1\)") as refusal:
        Convolutional(1, (1, 1), **options)
    smallest = int(str(refusal.value).split("at least ")[1].split()[0])
    assert Convolutional(1, (smallest, smallest), **options)(torch.rand(1, 1, smallest, smallest)).shape == (
        1,
        20,
    )
    with pytest.raises(ValueError, match=rf"at least {smallest}.*got \({smallest}, {smallest - 1}\)"):
        Convolutional(1, (smallest, smallest - 1), **options)


@pytest.mark.parametrize("kind", [FullyConnected, Convolutional])
@pytest.mark.parametrize("shape", [(1, 2, 28, 28), (1, 1, 28, 27), (1, 28, 28), (1, 1, 28)], ids=str)
def test_refuses_an_image_it_was_not_built_for(
    kind: Callable[..., Localisation], shape: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"`image` must be \(n, 1, 28, 28\)") as refusal:
        kind(1, (28, 28))(torch.rand(shape))
    assert str(shape) in str(refusal.value)


@pytest.mark.parametrize("kind", [FullyConnected, Convolutional])
def test_refuses_sizes_that_are_none(kind: Callable[..., Localisation]) -> None:
    with pytest.raises(ValueError, match=r"`size` must be positive.*\(28, 0\)"):
        kind(1, (28, 0))
    with pytest.raises(ValueError, match=r"`channels` must be positive, got 0"):
        kind(0, (28, 28))
    with pytest.raises(TypeError, match=r"`size` must be a sequence"):
        kind(1, 28)
    with pytest.raises(ValueError, match=r"`size`.*got \(4, 28, 28, 28\)"):
        kind(1, (4, 28, 28, 28))


def test_refuses_layers_that_are_none() -> None:
    with pytest.raises(TypeError, match=r"`hidden` must be a sequence of whole numbers, .* got 32"):
        FullyConnected(1, (8, 8), 32)
    with pytest.raises(ValueError, match="`hidden` must name at least one layer"):
        FullyConnected(1, (8, 8), ())
    with pytest.raises(ValueError, match="`downsample` must be positive, got 0"):
        Convolutional(1, (28, 28), downsample=0)


def test_is_random_where_the_head_is_zero() -> None:
    network = Convolutional(1, (28, 28))
    weights = [layer.weight for layer in network.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))]
    assert len(weights) == 3
    assert all(weight.std() > 0 for weight in weights)
    assert F.relu(network(torch.rand(2, 1, 28, 28))).max() > 0


def test_refuses_counts_that_are_none() -> None:
    with pytest.raises(TypeError, match=r"`hidden` must be a whole number, got 2.5"):
        FullyConnected(1, (8, 8), (4, 2.5))
    for name in ("filters", "kernel_size", "hidden"):
        with pytest.raises(ValueError, match=f"`{name}` must be positive, got 0"):
            Convolutional(1, (28, 28), **{name: 0})
