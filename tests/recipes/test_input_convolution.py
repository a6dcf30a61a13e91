"""The convolution behind a transformer against torch's own: values, weights and every gradient."""

import pytest
import torch
from torch import Tensor, nn

from torchstn.recipes.input_convolution import InputConvolution


def _pair(channels: int, filters: int, width: int, dtype: torch.dtype) -> tuple[InputConvolution, nn.Conv2d]:
    torch.manual_seed(0)
    ours = InputConvolution(channels, filters, width).to(dtype)
    theirs = nn.Conv2d(channels, filters, width).to(dtype)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def _results(layer: nn.Module, image: Tensor) -> list[Tensor]:
    image = image.clone().requires_grad_()
    output = layer(image)
    output.square().sum().backward()
    assert image.grad is not None
    return [output, image.grad, *(p.grad for p in layer.parameters() if p.grad is not None)]


@pytest.mark.parametrize("size", [(28, 28), (60, 33), (21, 22), (9, 12), (9, 9)])
@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_equals_the_plain_convolution(
    size: tuple[int, int], channels: int, layout: torch.memory_format
) -> None:
    ours, theirs = _pair(channels, 5, 9, torch.float64)
    image = torch.rand(3, channels, *size, dtype=torch.float64).contiguous(memory_format=layout)
    for got, wanted in zip(_results(ours, image), _results(theirs, image), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("side", [42, 21])
def test_equals_the_plain_convolution_in_bfloat16(side: int) -> None:
    ours, theirs = _pair(1, 48, 9, torch.float32)
    image = torch.rand(8, 1, side, side)
    with torch.autocast("cpu", torch.bfloat16):
        pairs = list(zip(_results(ours, image), _results(theirs, image), strict=True))
    assert pairs[0][0].dtype == torch.bfloat16
    for got, wanted in pairs:
        assert got.dtype == wanted.dtype
        torch.testing.assert_close(got, wanted, rtol=2e-2, atol=2e-2 * wanted.detach().abs().max().item())


def test_leaves_a_picture_without_gradient_to_torch() -> None:
    ours, theirs = _pair(1, 5, 9, torch.float32)
    image = torch.rand(2, 1, 28, 28)
    assert ours(image).equal(theirs(image))
    with torch.no_grad():
        assert ours(image.requires_grad_()).equal(theirs(image))
