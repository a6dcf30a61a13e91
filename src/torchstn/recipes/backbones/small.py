"""A small backbone to be trained from scratch."""

from collections import OrderedDict

from torch import nn

from .named import NamedBackbone

_WIDTHS = (32, 64, 128, 256)


def small() -> NamedBackbone:
    """Four blocks of two 3 x 3 convolutions each, the first of them with stride 2: 1.2 million numbers."""
    blocks, before = OrderedDict[str, nn.Module](), 3
    for number, width in enumerate(_WIDTHS, 1):
        blocks[f"block{number}"] = nn.Sequential(
            *_convolution(before, width, stride=2), *_convolution(width, width, stride=1)
        )
        before = width
    middle = (0.5, 0.5, 0.5)
    return NamedBackbone(
        "small",
        nn.Sequential(blocks),
        tuple(blocks),
        channels=before,
        mean=middle,
        std=middle,
    )


def _convolution(before: int, width: int, stride: int) -> tuple[nn.Module, ...]:
    window = nn.Conv2d(before, width, 3, stride, 1, bias=False)
    return window, nn.BatchNorm2d(width), nn.ReLU()
