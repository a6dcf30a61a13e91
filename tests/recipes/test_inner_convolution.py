"""The convolution of three ways against torch's own: values, weights and every gradient."""

import pytest
import torch
from torch import Tensor, nn

from torchstn.recipes import inner_convolution
from torchstn.recipes import spectral_convolution as spectral_convolution_module
from torchstn.recipes.fourier import pixels_of
from torchstn.recipes.inner_convolution import InnerConvolution
from torchstn.recipes.spectral_convolution import is_worthwhile, spectral_convolution

LAYOUTS = [torch.contiguous_format, torch.channels_last]


def _results(layer: nn.Module, image: Tensor) -> list[Tensor]:
    image = image.clone(memory_format=torch.preserve_format).requires_grad_()
    output = layer(image)
    (output.square() * torch.arange(1.0, len(image) + 1).view(-1, 1, 1, 1)).sum().backward()
    assert image.grad is not None
    return [output, image.grad, *(p.grad for p in layer.parameters() if p.grad is not None)]


@pytest.mark.parametrize("size", [(7, 7), (7, 8), (9, 7), (12, 12)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_equals_the_plain_convolution(size: tuple[int, int], layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    ours = InnerConvolution(3, 5, 7).double()
    theirs = nn.Conv2d(3, 5, 7).double()
    theirs.load_state_dict(ours.state_dict())
    for model in (ours, theirs):
        model.weight.data = model.weight.data.contiguous(memory_format=layout)
    image = torch.rand(4, 3, *size, dtype=torch.float64).contiguous(memory_format=layout)
    for got, wanted in zip(_results(ours, image), _results(theirs, image), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-12, atol=1e-12)


class _Spectral(nn.Conv2d):
    def forward(self, image: Tensor) -> Tensor:
        return spectral_convolution(image, self.weight, self.bias, int(self.padding[0]))


@pytest.mark.parametrize("size", [(7, 7), (10, 9), (9, 10), (17, 12), (13, 26)])
@pytest.mark.parametrize(("k", "padding"), [(7, 0), (7, 3), (7, 6), (5, 2), (4, 1), (3, 1), (1, 0)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_products_of_coefficients_are_the_convolution(
    size: tuple[int, int], k: int, padding: int, bias: bool, layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    ours, theirs = (kind(3, 5, k, padding=padding, bias=bias).double() for kind in (_Spectral, nn.Conv2d))
    theirs.load_state_dict(ours.state_dict())
    image = torch.rand(4, 3, *size, dtype=torch.float64).contiguous(memory_format=layout)
    for got, wanted in zip(_results(ours, image), _results(theirs, image), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-11, atol=1e-11)


def test_only_the_gradients_that_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[tuple[int, int]] = []

    def watched(coefficients: Tensor, size: tuple[int, int], window: tuple[int, int], start: int) -> Tensor:
        computed.append(window)
        return pixels_of(coefficients, size, window, start)

    monkeypatch.setattr(spectral_convolution_module, "pixels_of", watched)
    image, weight, bias = torch.rand(2, 3, 9, 9), torch.rand(4, 3, 5, 5), torch.rand(4)
    tensors = (image, weight, bias)
    for wanted, windows in ((image, [(9, 9)]), (weight, [(5, 5)]), (bias, [])):
        wanted.requires_grad_()
        output = spectral_convolution(*tensors, 0)
        computed.clear()
        output.sum().backward()
        assert computed == windows
        assert all((tensor.grad is not None) == (tensor is wanted) for tensor in tensors)
        wanted.requires_grad_(False).grad = None


def test_a_second_derivative_is_refused() -> None:
    image = torch.rand(2, 3, 9, 9, requires_grad=True)
    output = spectral_convolution(image, torch.rand(4, 3, 5, 5), None, 0)
    (grad,) = torch.autograd.grad(output.square().sum(), image, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()


@pytest.mark.parametrize(
    ("channels", "side", "k", "padding"), [(48, 17, 7, 0), (48, 26, 7, 0), (64, 10, 3, 1)]
)
def test_rounds_in_float32_no_worse_than_a_hundredth_of_a_per_mille(
    channels: int, side: int, k: int, padding: int
) -> None:
    torch.manual_seed(0)
    layer = InnerConvolution(channels, channels, k, padding=padding)
    exact = nn.Conv2d(channels, channels, k, padding=padding).double()
    exact.load_state_dict(layer.state_dict())
    image = torch.rand(8, channels, side, side)
    assert is_worthwhile(image, layer.weight, padding)
    for got, wanted in zip(_results(layer, image), _results(exact, image.double()), strict=True):
        assert (got - wanted).abs().max() < 1e-5 * wanted.abs().max()


def _refuse(*_: object) -> Tensor:
    raise AssertionError("a convolution")


def test_is_torchs_own_where_nothing_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inner_convolution, "spectral_convolution", _refuse)
    large, small = torch.rand(2, 48, 17, 17), torch.rand(2, 8, 9, 9)
    InnerConvolution(8, 8, 7)(small)
    layer = InnerConvolution(48, 48, 7)
    with pytest.raises(AssertionError, match="a convolution"):
        layer(large)
    with torch.no_grad():
        layer(large)
    with torch.autocast("cpu", torch.bfloat16):
        layer(large)
    layer.double()(large.double())


@pytest.mark.parametrize(("channels", "side"), [(3, 7), (3, 8), (48, 17)])
def test_an_exported_program_takes_any_number_of_pictures(channels: int, side: int) -> None:
    layer = InnerConvolution(channels, channels, 7)
    pictures = torch.export.Dim("pictures")
    example = (torch.rand(2, channels, side, side),)
    program = torch.export.export(layer, example, dynamic_shapes=({0: pictures},))
    assert ("conv2d" in str(program.graph)) == (side != 7)
    for count in (1, 6):
        image = torch.rand(count, channels, side, side)
        torch.testing.assert_close(program.module()(image), layer(image))


def test_a_window_that_covers_the_picture_is_no_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn.Conv2d, "forward", _refuse)
    layer = InnerConvolution(3, 5, 7)
    assert layer(torch.rand(2, 3, 7, 7)).shape == (2, 5, 1, 1)
    with pytest.raises(AssertionError, match="a convolution"):
        layer(torch.rand(2, 3, 8, 7))
