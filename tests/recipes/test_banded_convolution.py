"""The convolution as products with a band matrix against torch's own: values and every gradient."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torchstn.recipes import input_convolution
from torchstn.recipes.banded_convolution import banded_convolution, tile_of
from torchstn.recipes.input_convolution import InputConvolution

LAYOUTS = {
    "contiguous": lambda image: image.contiguous(),
    "channels last": lambda image: image.contiguous(memory_format=torch.channels_last),
    "turned": lambda image: image.transpose(2, 3).contiguous().transpose(2, 3),
    "every other": lambda image: torch.stack((image, -image), -1).flatten(3)[..., ::2],
    "expanded": lambda image: image[:1].expand(image.shape),
}


def _results(convolve: object, tensors: list[Tensor], weights: Tensor) -> list[Tensor]:
    assert callable(convolve)
    leaves = [tensor.detach().requires_grad_() for tensor in tensors]
    output = convolve(*leaves)
    return [output.detach(), *torch.autograd.grad((output * weights).sum(), leaves)]


# Output columns: 20 = 2 tiles of 10, 13 = 1 of 13, 26 = 2 of 13, 37 and 1 are one tile, 52 = 4 of 13.
@pytest.mark.parametrize(
    ("size", "k"),
    [((28, 28), 9), ((21, 21), 9), ((11, 34), 9), ((40, 39), 3), ((9, 9), 9), ((60, 60), 9), ((5, 31), 1)],
)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_equals_torchs_convolution(size: tuple[int, int], k: int, channels: int, layout: str) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = (2, channels, *size), (5, channels, k, k), (5,), (2, 5, size[0] - k + 1, size[1] - k + 1)
    image, weight, bias, weights = (
        torch.randn(shape, dtype=torch.float64, generator=generator) for shape in shapes
    )
    tensors = [LAYOUTS[layout](image), weight.contiguous(memory_format=torch.channels_last), bias]
    ours, theirs = (_results(convolve, tensors, weights) for convolve in (banded_convolution, F.conv2d))
    for got, wanted in zip(ours, theirs, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-11, atol=1e-11)


def test_without_a_bias() -> None:
    image, weight = torch.rand(2, 1, 14, 15).double(), torch.randn(3, 1, 5, 5).double()
    weights = torch.randn(2, 3, 10, 11).double()
    ours = _results(lambda *of: banded_convolution(*of, None), [image, weight], weights)
    for got, wanted in zip(ours, _results(F.conv2d, [image, weight], weights), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("needed", [(False, True, True), (True, False, False), (False, False, True)])
def test_gives_the_gradients_that_are_asked_for(needed: tuple[bool, ...]) -> None:
    tensors = [torch.rand(2, 1, 14, 15), torch.randn(3, 1, 5, 5), torch.randn(3)]
    for tensor, need in zip(tensors, needed, strict=True):
        tensor.requires_grad_(need)
    banded_convolution(*tensors).square().sum().backward()
    assert tuple(tensor.grad is not None for tensor in tensors) == needed


@pytest.mark.parametrize(
    ("columns", "tile"), [(13, 13), (20, 10), (26, 13), (34, 17), (52, 13), (37, 37), (1, 1)]
)
def test_tiles_divide_the_columns_evenly(columns: int, tile: int) -> None:
    assert tile_of(columns) == tile


@pytest.mark.parametrize("behind_a_transformer", [True, False])
def test_the_layer_takes_it_in_bfloat16_where_that_is_quick(
    behind_a_transformer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    layer, plain = InputConvolution(1, 48, 9), nn.Conv2d(1, 48, 9)
    plain.load_state_dict(layer.state_dict())
    image = torch.rand(8, 1, 28, 28)
    taken = []
    monkeypatch.setattr(input_convolution, "multiplies_matrices", lambda: True)
    monkeypatch.setattr(
        input_convolution, "banded_convolution", lambda *of: taken.append(of) or banded_convolution(*of)
    )
    results = []
    for convolve in (layer, plain):
        leaf = image.clone().requires_grad_(behind_a_transformer)
        with torch.autocast("cpu", torch.bfloat16):
            output = convolve(leaf)
            output.square().sum().backward()
        results.append([output, *(p.grad for p in convolve.parameters()), leaf.grad])
    assert len(taken) == 1
    for got, wanted in zip(*results, strict=True):
        if wanted is None:
            assert got is None
            continue
        assert got.dtype == wanted.dtype
        assert (got - wanted).norm() < 5e-3 * wanted.norm()


def test_what_is_exported_is_torchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_convolution, "multiplies_matrices", lambda: True)
    layer = InputConvolution(1, 5, 9).bfloat16()
    program = torch.export.export(layer, (torch.rand(2, 1, 28, 28).bfloat16(),))
    assert "conv2d" in str(program.graph)
    assert "unfold" not in str(program.graph)
