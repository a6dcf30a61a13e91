"""The one kind of convolution whose quick ways are written out here."""

from torch import nn


class PlainConvolution(nn.Conv2d):
    """nn.Conv2d without stride, padding, dilation or groups.

    Args:
        in_channels: Of the picture.
        out_channels: Filters.
        kernel_size: Their width in pixels.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size)
