"""The kernel that turns sums of whole units into the gradient of the image."""

import triton
import triton.language as tl

from .arithmetic import scaled


@triton.jit
def settle(
    sums,
    finer,
    exponents,
    largest,
    gradient,
    count,
    blocks,
    block: tl.constexpr,
    bits: tl.constexpr,
    finer_bits: tl.constexpr,
):
    """Writes units times their size; a sample has `count` numbers, in `blocks` programs."""
    n = tl.program_id(0) // blocks
    at = (tl.program_id(0) % blocks).to(tl.int64) * block + tl.arange(0, block)
    exists = at < count
    at += n.to(tl.int64) * count
    value = tl.load(sums + at, mask=exists, other=0).to(tl.float64)
    if finer is not None:
        value += tl.load(finer + at, mask=exists, other=0).to(tl.float64) * 0.5**finer_bits
    value = scaled(value, tl.load(exponents + n) - bits)
    # Zero, or NaN: what was not finite has no size in units.
    value += tl.load(largest + n).to(tl.float64) * 0.0
    if gradient.dtype.element_ty != tl.float64:
        value = value.to(tl.float32)
    tl.store(gradient + at, value.to(gradient.dtype.element_ty), mask=exists)
