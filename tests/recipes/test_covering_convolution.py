"""The convolution that may be a product against torch's own: values, weights and every gradient."""

import pytest
import torch
from torch import Tensor, nn

from torchstn.recipes.covering_convolution import CoveringConvolution


def _results(layer: nn.Module, image: Tensor) -> list[Tensor]:
    image = image.clone(memory_format=torch.preserve_format).requires_grad_()
    output = layer(image)
    (output.square() * torch.arange(1.0, len(image) + 1).view(-1, 1, 1, 1)).sum().backward()
    assert image.grad is not None
    return [output, image.grad, *(p.grad for p in layer.parameters() if p.grad is not None)]


@pytest.mark.parametrize("size", [(7, 7), (7, 8), (9, 7), (12, 12)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_equals_the_plain_convolution(size: tuple[int, int], layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    ours = CoveringConvolution(3, 5, 7).double()
    theirs = nn.Conv2d(3, 5, 7).double()
    theirs.load_state_dict(ours.state_dict())
    for model in (ours, theirs):
        model.weight.data = model.weight.data.contiguous(memory_format=layout)
    image = torch.rand(4, 3, *size, dtype=torch.float64).contiguous(memory_format=layout)
    for got, wanted in zip(_results(ours, image), _results(theirs, image), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("side", [7, 8])
def test_an_exported_program_takes_any_number_of_pictures(side: int) -> None:
    layer = CoveringConvolution(3, 5, 7)
    pictures = torch.export.Dim("pictures")
    program = torch.export.export(layer, (torch.rand(2, 3, side, side),), dynamic_shapes=({0: pictures},))
    for count in (1, 6):
        image = torch.rand(count, 3, side, side)
        torch.testing.assert_close(program.module()(image), layer(image))


def test_a_window_that_covers_the_picture_is_no_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Tensor:
        raise AssertionError("a convolution")

    monkeypatch.setattr(nn.Conv2d, "forward", refuse)
    layer = CoveringConvolution(3, 5, 7)
    assert layer(torch.rand(2, 3, 7, 7)).shape == (2, 5, 1, 1)
    with pytest.raises(AssertionError, match="a convolution"):
        layer(torch.rand(2, 3, 8, 7))
