"""The kernel of the forward pass: image, grid -> output, without a tensor of coordinates."""

import triton
import triton.language as tl

from .reading import readings
from .taps import row_count, row_of_taps, tap_of_row
from .tiles import along_channels, along_pixels, as_index, fill_of, output_index


@triton.jit
def sample(
    image,
    output,
    fill,
    grid,
    inputs,
    outputs,
    tiles,
    channels,
    share,
    plan: tl.constexpr,
    tile: tl.constexpr,
):
    """Reads the image where the grid says (equation 3); program (tile of a sample, share of the channels)."""
    sums: tl.constexpr = tl.float64 if plan.wide_sums else tl.float32
    n, _, pixel, exists, _, _, reads, first, fraction = readings(grid, tiles, inputs, outputs, plan, tile)
    source = image.data + n.to(tl.int64) * image.batch
    target = output.data + n.to(tl.int64) * output.batch
    target_pixel = along_pixels(output_index(pixel, outputs, plan), plan) * output.axes.x
    end = tl.minimum((tl.program_id(1) + 1) * share, channels)
    for start in tl.range(tl.program_id(1) * share, end, tile.channels):
        channel = start + tl.arange(0, tile.channels)
        present = along_channels(channel < end, plan)
        channel_at = along_channels(as_index(channel, plan), plan)
        outside = fill_of(fill, channel, end, sums, plan)
        total = _weighted_sum(
            source + channel_at * image.channel,
            image.axes,
            present,
            reads,
            outside,
            first,
            fraction,
            inputs,
            sums,
            plan,
        )
        if plan.padding == "fill":
            total = tl.where(present & along_pixels(reads, plan), total, outside)
        stored = present & along_pixels(exists, plan)
        value = _as_type(total, output.data.dtype.element_ty)
        tl.store(target + target_pixel + channel_at * output.channel, value, mask=stored)


@triton.jit
def _weighted_sum(
    source, strides, present, reads, outside, first, fraction, inputs, sums: tl.constexpr, plan: tl.constexpr
):
    taps: tl.constexpr = plan.taps
    unrolled: tl.constexpr = plan.unrolled
    total = tl.zeros((present & along_pixels(reads, plan)).shape, sums)
    for row in tl.range(0, row_count(plan), loop_unroll_factor=unrolled):
        row_offset, row_inside, v, w = row_of_taps(row, first, fraction, reads, strides, inputs, plan)
        for tap in tl.static_range(taps):
            offset, inside, u = tap_of_row(tap, first, fraction, strides, inputs, plan)
            mask = present & along_pixels(row_inside & inside, plan)
            value = tl.load(source + along_pixels(row_offset + offset, plan), mask=mask, other=0).to(sums)
            if plan.padding == "fill":
                value = tl.where(mask, value, outside)
            total = tl.fma(value, along_pixels(u * v * w, plan), total)
    return total


@triton.jit
def _as_type(value, kind: tl.constexpr):
    """In the image's type; whole numbers are rounded, halves to even, and saturated."""
    if kind == tl.uint8:
        # From 2^23 on float32 has no fractions: adding so much rounds as the hardware rounds.
        whole = (value + 12582912.0) - 12582912.0
        return tl.minimum(tl.maximum(whole, 0.0), 255.0).to(tl.uint8)
    else:
        return value.to(kind)
