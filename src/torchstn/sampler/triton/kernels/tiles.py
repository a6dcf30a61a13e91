"""Device functions: which output pixels and channels a program has, and where they lie."""

import triton
import triton.language as tl


@triton.jit
def place(tiles, outputs, tile: tl.constexpr):
    """Which output pixels this program has.

    Returns the sample, the number of the tile in it, the indices along x, y and z, and which of them exist.
    """
    program = tl.program_id(0)
    count = tiles.x * tiles.y * tiles.z
    number = program % count
    local = tl.arange(0, tile.x * tile.y * tile.z)
    j = number % tiles.x * tile.x + local % tile.x
    i = number // tiles.x % tiles.y * tile.y + local // tile.x % tile.y
    k = number // (tiles.x * tiles.y) * tile.z + local // (tile.x * tile.y)
    return program // count, number, j, i, k, (j < outputs.x) & (i < outputs.y) & (k < outputs.z)


@triton.jit
def as_index(value, plan: tl.constexpr):
    """In the type in which an image's elements are counted."""
    if plan.wide_index:
        return value.to(tl.int64)
    else:
        return value


@triton.jit
def output_index(pixel, outputs, plan: tl.constexpr):
    """The number of an output pixel (j, i, k) in its sample."""
    return (as_index(pixel[2], plan) * outputs.y + pixel[1]) * outputs.x + pixel[0]


@triton.jit
def along_pixels(value, plan: tl.constexpr):
    """One number a pixel, shaped to meet one a channel; what lies side by side in memory comes last."""
    return value[:, None] if plan.channels_last else value[None, :]


@triton.jit
def along_channels(value, plan: tl.constexpr):
    """One number a channel, shaped to meet one a pixel."""
    return value[None, :] if plan.channels_last else value[:, None]


@triton.jit
def fill_of(fill, channel, end, sums: tl.constexpr, plan: tl.constexpr):
    """What each channel is worth outside the image, with padding "fill"."""
    if plan.padding == "fill":
        return along_channels(tl.load(fill + channel, mask=channel < end, other=0.0), plan)
    else:
        return along_channels(tl.zeros_like(channel).to(sums), plan)
