"""Device function: from a program's place to the pixels that its points read."""

import triton
import triton.language as tl

from .coordinates import coordinates
from .taps import split
from .tiles import place


@triton.jit
def readings(grid, tiles, inputs, outputs, plan: tl.constexpr, tile: tl.constexpr):
    """What this program's output pixels read.

    Returns the sample, the number of the tile in it, the pixels' indices and which of them exist; then where
    they read, the denominator of that and which of them do; then the first pixel read and the fraction after
    it, by axis.
    """
    sums: tl.constexpr = tl.float64 if plan.wide_sums else tl.float32
    n, number, j, i, k, exists = place(tiles, outputs, tile)
    x, y, z, denominator, reads = coordinates(grid, n, j, i, k, exists, inputs, outputs, plan)
    first_x, fraction_x = split(x, inputs.x, sums, plan)
    first_y, fraction_y = split(y, inputs.y, sums, plan)
    first_z, fraction_z = split(z, inputs.z, sums, plan)
    first = (first_x, first_y, first_z)
    fraction = (fraction_x, fraction_y, fraction_z)
    return n, number, (j, i, k), exists, (x, y, z), denominator, reads, first, fraction
