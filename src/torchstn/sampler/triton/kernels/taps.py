"""Device functions: which pixels a point reads, and with what weights."""

import triton
import triton.language as tl

from .tiles import as_index


@triton.jit
def split(x, length, sums: tl.constexpr, plan: tl.constexpr):
    """The first pixel that a point reads, and its distance from the one at or before it."""
    low = tl.floor(x)
    fraction = x - low
    if plan.padding == "circular" or plan.padding == "reflection":
        # 2^62: a float64 may be further out than any whole number reaches.
        first = tl.minimum(tl.maximum(low, -4611686018427387904.0), 4611686018427387904.0).to(tl.int64)
    else:
        # Beyond the edge all pixels are alike.
        first = tl.minimum(tl.maximum(low, -8.0), tl.cast(length, x.dtype) + 8.0).to(tl.int32)
    if plan.kernel == "nearest":
        first += (fraction >= 0.5).to(tl.int32)
    if plan.kernel == "cubic":
        first -= 1
    return first, fraction.to(sums)


@triton.jit
def remap(index, length, plan: tl.constexpr):
    """The pixel read in place of `index`, and whether there is one; see sampler/padding.py."""
    if plan.padding == "border":
        return tl.minimum(tl.maximum(index, 0), length - 1), tl.full(index.shape, True, tl.int1)
    elif plan.padding == "circular":
        # Never a negative remainder: the hardware divides short positive numbers fast.
        rest = tl.where(index < 0, -1 - index, index) % length
        return tl.where(index < 0, length - 1 - rest, rest).to(tl.int32), tl.full(index.shape, True, tl.int1)
    elif plan.padding == "reflection":
        if plan.align_corners:
            period = tl.maximum(2 * (length - 1), 1)
            rest = tl.where(index < 0, -index, index) % period
            return tl.minimum(rest, period - rest).to(tl.int32), tl.full(index.shape, True, tl.int1)
        else:
            rest = tl.where(index < 0, -1 - index, index) % (2 * length)
            return tl.minimum(rest, 2 * length - 1 - rest).to(tl.int32), tl.full(index.shape, True, tl.int1)
    else:
        return index, (index >= 0) & (index < length)


@triton.jit
def moves(first, length, plan: tl.constexpr):
    """With padding "border": whether a point's taps along an axis are more than one pixel."""
    nearest, _ = remap(first, length, plan)
    farthest, _ = remap(first + (plan.taps - 1), length, plan)
    return nearest != farthest


@triton.jit
def _near(x):
    return (1.25 * x - 2.25) * x * x + 1.0


@triton.jit
def _far(x):
    return ((-0.75 * x + 3.75) * x - 6.0) * x + 3.0


@triton.jit
def _near_slope(x):
    return (3.75 * x - 4.5) * x


@triton.jit
def _far_slope(x):
    return (-2.25 * x + 7.5) * x - 6.0


@triton.jit
def weight(fraction, tap, plan: tl.constexpr):
    """Of one pixel along an axis; see sampler/kernels.py, a = -0.75."""
    if plan.kernel == "nearest":
        return fraction * 0.0 + 1.0
    elif plan.kernel == "linear":
        return tl.where(tap == 0, 1.0 - fraction, fraction)
    else:
        distance = tl.abs(fraction - (tap - 1))
        return tl.where((tap == 1) | (tap == 2), _near(distance), _far(distance))


@triton.jit
def slope(fraction, tap, plan: tl.constexpr):
    """The derivative of `weight` by the fraction."""
    if plan.kernel == "linear":
        return tl.where(tap == 0, fraction * 0.0 - 1.0, fraction * 0.0 + 1.0)
    else:
        distance = tl.abs(fraction - (tap - 1))
        value = tl.where((tap == 1) | (tap == 2), _near_slope(distance), _far_slope(distance))
        return tl.where(tap < 2, value, -value)


@triton.jit
def row_count(plan: tl.constexpr):
    """Rows of pixels that a point reads.

    How many there are of the cubic kernel's, the compiler shall not know: side by side they would take more
    registers than leave room for other programs.
    """
    if plan.kernel == "cubic":
        return plan.rows * tl.num_programs(2)  # one
    else:
        return plan.rows


@triton.jit
def row_of_taps(row, first, fraction, reads, strides, inputs, plan: tl.constexpr):
    """A row of the pixels around every point: where it begins, whether it is there, its weights by axis."""
    offset = as_index(first[1] * 0, plan).to(tl.int64 if plan.wide_index else tl.int32)
    inside = reads
    y = fraction[1] * 0.0 + 1.0
    z = y
    if plan.dims > 1:
        index, there = remap(first[1] + row % plan.taps, inputs.y, plan)
        offset += as_index(index, plan) * strides.y
        inside = inside & there
        y = weight(fraction[1], row % plan.taps, plan)
    if plan.dims > 2:
        index, there = remap(first[2] + row // plan.taps, inputs.z, plan)
        offset += as_index(index, plan) * strides.z
        inside = inside & there
        z = weight(fraction[2], row // plan.taps, plan)
    return offset, inside, y, z


@triton.jit
def tap_of_row(tap, first, fraction, strides, inputs, plan: tl.constexpr):
    """One pixel of a row: how far from where that begins, whether it is there, its weight along x."""
    index, inside = remap(first[0] + tap, inputs.x, plan)
    return as_index(index, plan) * strides.x, inside, weight(fraction[0], tap, plan)
