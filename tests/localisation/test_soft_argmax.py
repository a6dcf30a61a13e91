"""SoftArgmax against scipy's centre of mass; shifts, types, refusals, and that it learns where."""

import numpy as np
import pytest
import torch
from scipy.ndimage import center_of_mass
from scipy.special import softmax
from torch import Tensor, nn

import torchstn as stn
from torchstn.localisation import SoftArgmax


def of_scores(dims: int, points: int) -> SoftArgmax:
    """One whose scores are its maps."""
    network = SoftArgmax(points, points, dims=dims).double()
    with torch.no_grad():
        network.scores.weight.copy_(torch.eye(points).reshape(network.scores.weight.shape))
        assert network.scores.bias is not None
        network.scores.bias.zero_()
    return network


@pytest.mark.parametrize("size", [(7,), (1,), (5, 8), (1, 6), (4, 3, 6)])
def test_is_the_centre_of_mass_of_the_softmax(size: tuple[int, ...]) -> None:
    maps = 3 * torch.randn(2, 4, *size, dtype=torch.float64)
    places = of_scores(len(size), 4)(maps).detach().unflatten(1, (len(size), 4))
    for image in range(2):
        for point in range(4):
            centre = center_of_mass(softmax(maps[image, point].numpy()))
            expected = [(2 * at + 1) / length - 1 for at, length in zip(centre, size, strict=True)][::-1]
            np.testing.assert_allclose(places[image, :, point].numpy(), expected, atol=1e-12)


def test_a_thing_that_moves_moves_its_point_as_far() -> None:
    spot = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    spot[0, 0, 3, 5] = 50.0
    moved = spot.roll((4, 2), (2, 3))
    network = of_scores(2, 1)
    torch.testing.assert_close(network(spot)[0], torch.tensor([-5 / 16, -9 / 16]).double())
    torch.testing.assert_close((network(moved) - network(spot))[0] * 8, torch.tensor([2.0, 4.0]).double())


def test_is_exact_under_autocast_and_keeps_float64() -> None:
    network = SoftArgmax(3, 5)
    maps = torch.randn(2, 3, 9, 9)
    with torch.autocast("cpu", torch.bfloat16):
        low = network(maps)
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, network(maps), atol=2e-2, rtol=0)
    assert network.double()(maps.double()).dtype == torch.float64


def test_gradients_are_those_of_finite_differences() -> None:
    network = SoftArgmax(2, 3).double()
    assert torch.autograd.gradcheck(network, torch.randn(2, 2, 4, 5, dtype=torch.float64, requires_grad=True))


def test_looks_through_a_network() -> None:
    network = nn.Conv2d(3, 6, 3, stride=2)
    torch.manual_seed(0)
    through = SoftArgmax(6, 4, network=network)
    torch.manual_seed(0)
    behind = SoftArgmax(6, 4)
    image = torch.randn(2, 3, 11, 11)
    torch.testing.assert_close(through(image), behind(network(image)))


def test_a_transformer_learns_to_centre_what_it_has_seen_elsewhere() -> None:
    """Trained on spots on the left, it centres those on the right: a place is a feature, not a class."""
    torch.manual_seed(0)
    st = stn.SpatialTransformer(SoftArgmax(1, 1), stn.transform.Attention(scale=0.5), size=(12, 12))
    wanted = spots(torch.tensor([[0.0, 0.0]]), 12, 0.5)
    optimiser = torch.optim.Adam(st.parameters(), 0.03)
    for _ in range(300):
        optimiser.zero_grad()
        places = torch.rand(16, 2) * torch.tensor([0.4, 0.8]) - 0.4
        (st(spots(places, 24, 0.25)) - wanted).square().sum().backward()
        optimiser.step()
    right = torch.tensor([[0.4, 0.3], [0.45, -0.35]])
    assert (st.theta(spots(right, 24, 0.25)) - right).abs().max() < 0.15


def spots(places: Tensor, side: int, width: float) -> Tensor:
    """Images (n, 1, side, side) of a soft round spot at each place."""
    axis = (2 * torch.arange(side) + 1) / side - 1
    x, y = axis - places[:, :1], axis - places[:, 1:]
    return torch.exp(-(x[:, None, :] ** 2 + y[:, :, None] ** 2) / (2 * width**2))[:, None] * 4


@pytest.mark.parametrize("maps", [torch.zeros(2, 4, 5, 5), torch.zeros(2, 3, 5), torch.zeros(3, 5, 5)])
def test_refuses_other_maps(maps: Tensor) -> None:
    with pytest.raises(ValueError, match=r"Maps must be \(n, 3, h, w\), as the network was built"):
        SoftArgmax(3, 2)(maps)


def test_refuses_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="`points`"):
        SoftArgmax(3, 0)
    with pytest.raises(ValueError, match="`dims` must be 1, 2 or 3"):
        SoftArgmax(3, 2, dims=4)
    with pytest.raises(TypeError, match="`network` must be a torch\\.nn\\.Module, got function"):
        SoftArgmax(3, 2, network=spots)  # type: ignore[arg-type]


def test_refuses_a_network_of_several_outputs() -> None:
    class Pair(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x, x

    with pytest.raises(TypeError, match=r"`network` must return a tensor, got tuple; wrap it"):
        SoftArgmax(2, network=Pair())(torch.zeros(1, 2, 3, 3))
