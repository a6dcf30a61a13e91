"""A classifier of today's make: small windows, deep, normalised."""

from collections.abc import Iterator

from torch import nn

from .inner_convolution import InnerConvolution
from .input_convolution import InputConvolution


def deep_classifier(channels: int, classes: int, width: int, dropout: float = 0.2) -> nn.Sequential:
    """A convolution of 5 x 5, a pooling, one of 3 x 3, a pooling, three more, the mean over the picture.

    Batch norm and ReLU follow each convolution. Most parameters are where the picture has become small, so
    that they cost little.

    It has some 180 `width`^2 parameters and reads pictures of any size from 8 x 8 on.

    Args:
        channels: Of the picture.
        classes: To tell apart.
        width: Filters of the first convolution; the next have 1.5, 2, 3 and 3 times as many.
        dropout: Share of the features left out before the last layer in training.
    """
    return nn.Sequential(
        InputConvolution(channels, width, 5),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        *_convolution(width, width + width // 2),
        nn.MaxPool2d(2),
        *_convolution(width + width // 2, 2 * width),
        *_convolution(2 * width, 3 * width),
        *_convolution(3 * width, 3 * width),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(3 * width, classes),
    )


def _convolution(before: int, after: int) -> Iterator[nn.Module]:
    yield InnerConvolution(before, after, 3, padding=1, bias=False)
    yield nn.BatchNorm2d(after)
    yield nn.ReLU()
