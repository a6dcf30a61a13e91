"""Device functions: division that rounds correctly, and the lattice of the output.

Products and sums that make a coordinate are rounded one by one, as the reference rounds them: the kernels are
compiled without contraction into fused operations, and what may be fused says so by `tl.fma`.
"""

import triton
import triton.language as tl


@triton.jit
def divide(a, b):
    """The quotient rounded correctly; `/` of float32 is an approximation on a GPU."""
    if a.dtype == tl.float32:
        return tl.div_rn(a, b)
    else:
        return a / b


@triton.jit
def is_finite(x):
    """Neither infinite nor NaN."""
    return tl.abs(x) < float("inf")


@triton.jit
def span(length, plan: tl.constexpr):
    """Pixels between -1 and 1; see grid/lattice.py."""
    if plan.align_corners:
        return length - 1
    else:
        return length


@triton.jit
def step_count(length, plan: tl.constexpr):
    """`span`, but 1 for an axis of one pixel, where it divides."""
    if plan.align_corners:
        return tl.maximum(length - 1, 1)
    else:
        return length


@triton.jit
def normalised(index, length, kind: tl.constexpr, plan: tl.constexpr):
    """The lattice's coordinate of an output pixel, where its last bit does not matter."""
    return (2 * index + (1 - length)).to(kind) / tl.cast(step_count(length, plan), kind)


@triton.jit
def scaled(value, power):
    """A number times 2 to some power, in two steps: of small numbers' inverses not every one is finite."""
    half = power // 2
    return value * _power_of_two(half, value.dtype) * _power_of_two(power - half, value.dtype)


@triton.jit
def _power_of_two(exponent, kind: tl.constexpr):
    if kind == tl.float64:
        return ((exponent + 1023).to(tl.int64) << 52).to(tl.float64, bitcast=True)
    else:
        return ((exponent + 127).to(tl.int32) << 23).to(tl.float32, bitcast=True)
