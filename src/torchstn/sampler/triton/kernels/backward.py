"""The kernel of the backward pass: gradients of the image, and of the grid reduced to its parameters."""

import triton
import triton.language as tl

from .arithmetic import scaled
from .reading import readings
from .reduction import reduce
from .taps import moves, row_count, row_of_taps, slope, tap_of_row
from .tiles import along_channels, along_pixels, as_index, fill_of, output_index


@triton.jit
def gradients(
    image, gradient, fill, grid, grad_image, finer, exponents, exponents_batch, grad_grid,
    inputs, outputs, tiles, channels, share, plan: tl.constexpr, tile: tl.constexpr,
    scatter: tl.constexpr, bits: tl.constexpr, finer_bits: tl.constexpr,
):  # fmt: skip
    """Adds to the image's gradient, and writes this program's part of the grid's; programs as of `sample`."""
    sums: tl.constexpr = tl.float64 if plan.wide_sums else tl.float32
    axis: tl.constexpr = 1 if plan.channels_last else 0
    n, number, pixel, exists, at, denominator, reads, first, fraction = readings(
        grid, tiles, inputs, outputs, plan, tile
    )
    source = image.data + n.to(tl.int64) * image.batch
    source_gradient = gradient.data + n.to(tl.int64) * gradient.batch
    source_pixel = along_pixels(output_index(pixel, outputs, plan), plan) * gradient.axes.x
    x = fraction[0] * 0.0
    y = x
    z = x
    end = tl.minimum((tl.program_id(1) + 1) * share, channels)
    for start in tl.range(tl.program_id(1) * share, end, tile.channels):
        channel = start + tl.arange(0, tile.channels)
        present = along_channels(channel < end, plan)
        channel_at = along_channels(as_index(channel, plan), plan)
        readable = present & along_pixels(reads, plan)
        g_at = source_gradient + source_pixel + channel_at * gradient.channel
        g = tl.load(g_at, mask=readable, other=0.0, eviction_policy="evict_first").to(sums)
        if scatter != "none":
            _scatter(
                grad_image, finer, exponents, n, n * exponents_batch, channel_at, g, present, reads,
                first, fraction, inputs, plan, scatter, bits, finer_bits,
            )  # fmt: skip
        if grad_grid is not None:
            outside = fill_of(fill, channel, end, sums, plan)
            u, v, w = _slopes(
                source + channel_at * image.channel, image.axes, g, present, reads, outside, first, fraction,
                inputs, plan,
            )  # fmt: skip
            x += tl.sum(u, axis)
            y += tl.sum(v, axis)
            z += tl.sum(w, axis)
    if grad_grid is not None:
        programs = tiles.x * tiles.y * tiles.z
        row = (n.to(tl.int64) * tl.num_programs(1) + tl.program_id(1)) * programs + number
        reduce(
            grad_grid, row, grid, n, at, denominator, reads, (x, y, z), pixel, exists, inputs, outputs,
            plan, tile,
        )  # fmt: skip


@triton.jit
def _slopes(source, strides, g, present, reads, outside, first, fraction, inputs, plan: tl.constexpr):
    """Gradient times slope of the image along each axis, of every channel of every point."""
    taps: tl.constexpr = plan.taps
    unrolled: tl.constexpr = plan.unrolled
    x = tl.zeros_like(g)
    y = x
    z = x
    for row in tl.range(0, row_count(plan), loop_unroll_factor=unrolled):
        row_offset, row_inside, v, w = row_of_taps(row, first, fraction, reads, strides, inputs, plan)
        to_v = w * slope(fraction[1], row % plan.taps, plan)
        to_w = v * slope(fraction[2], row // plan.taps, plan)
        for tap in tl.static_range(taps):
            offset, inside, u = tap_of_row(tap, first, fraction, strides, inputs, plan)
            mask = present & along_pixels(row_inside & inside, plan)
            value = tl.load(source + along_pixels(row_offset + offset, plan), mask=mask, other=0.0).to(
                g.dtype
            )
            if plan.padding == "fill":
                value = tl.where(mask, value, outside)
            x = tl.fma(value, along_pixels(slope(fraction[0], tap, plan) * v * w, plan), x)
            if plan.dims > 1:
                y = tl.fma(value, along_pixels(u * to_v, plan), y)
            if plan.dims > 2:
                z = tl.fma(value, along_pixels(u * to_w, plan), z)
    if plan.padding == "border":
        # What cancels leaves a rounding behind, and the chain rule may multiply that by a huge coordinate.
        x = tl.where(along_pixels(moves(first[0], inputs.x, plan), plan), x, 0.0)
        if plan.dims > 1:
            y = tl.where(along_pixels(moves(first[1], inputs.y, plan), plan), y, 0.0)
        if plan.dims > 2:
            z = tl.where(along_pixels(moves(first[2], inputs.z, plan), plan), z, 0.0)
    return x * g, y * g, z * g


@triton.jit
def _scatter(
    image, finer, exponents, n, exponent_at, channel_at, g, present, reads, first, fraction,
    inputs, plan: tl.constexpr, scatter: tl.constexpr, bits: tl.constexpr, finer_bits: tl.constexpr,
):  # fmt: skip
    """Gradient times weight to every pixel read, to which other programs may be adding."""
    taps: tl.constexpr = plan.taps
    unrolled: tl.constexpr = plan.unrolled
    channel_at = n.to(tl.int64) * image.batch + channel_at * image.channel
    for row in tl.range(0, row_count(plan), loop_unroll_factor=unrolled):
        row_offset, row_inside, v, w = row_of_taps(row, first, fraction, reads, image.axes, inputs, plan)
        for tap in tl.static_range(taps):
            offset, inside, u = tap_of_row(tap, first, fraction, image.axes, inputs, plan)
            mask = present & along_pixels(row_inside & inside, plan)
            to = channel_at + along_pixels(row_offset + offset, plan)
            value = g * along_pixels(u * v * w, plan)
            if scatter == "atomic":
                tl.atomic_add(image.data + to, value, mask=mask, sem="relaxed")
            else:
                # Whole numbers of a unit: their sum does not depend on the order.
                value = scaled(value, bits - tl.load(exponents + exponent_at))
                units = value.to(tl.int64)
                tl.atomic_add(image.data + to, units, mask=mask, sem="relaxed")
                if finer is not None:
                    small = (value - units.to(value.dtype)) * 2.0**finer_bits
                    tl.atomic_add(finer + to, small.to(tl.int64), mask=mask, sem="relaxed")
