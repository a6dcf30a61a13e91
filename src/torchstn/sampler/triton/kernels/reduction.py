"""Device functions: gradients of coordinates, reduced to one row of numbers for a tile.

The rows are added up by torch afterwards, in float64 and in an order of their own: two stages, no atomics.
"""

import triton
import triton.language as tl

from .arithmetic import divide, normalised, span
from .coordinates import first_control
from .tiles import output_index


@triton.jit
def reduce(
    to, row, grid, n, at, denominator, reads, along, pixel, exists, inputs, outputs,
    plan: tl.constexpr, tile: tl.constexpr,
):  # fmt: skip
    """Writes what this tile adds to the gradient of the grid's parameters, or the points' own gradient."""
    kind: tl.constexpr = along[0].dtype
    if plan.kind == "pixels":
        g = along
    else:
        g = (
            along[0] * (tl.cast(span(inputs.x, plan), kind) * 0.5),
            along[1] * (tl.cast(span(inputs.y, plan), kind) * 0.5),
            along[2] * (tl.cast(span(inputs.z, plan), kind) * 0.5),
        )
    if plan.kind == "matrix":
        _to_matrix(to, row, g, along, at, denominator, reads, pixel, inputs, outputs, plan)
    elif grid.points is None:
        cells: tl.constexpr = plan.dims * (plan.dims + 1)
        to += row * (cells + grid.functions * plan.dims)
        _moments(to, g, pixel, outputs, plan)
        if plan.kind == "basis":
            _to_stored(to + cells, grid, g, pixel, exists, outputs, plan)
        else:
            _to_separable(to + cells, grid, g, pixel, exists, outputs, plan, tile)
    else:
        points = n.to(tl.int64) * outputs.x * outputs.y * outputs.z + output_index(pixel, outputs, plan)
        _store(to + points * plan.dims, g, exists, plan)


@triton.jit
def _store(to, values, mask, plan: tl.constexpr):
    """One value an axis, side by side."""
    tl.store(to, values[0].to(to.dtype.element_ty), mask=mask)
    if plan.dims > 1:
        tl.store(to + 1, values[1].to(to.dtype.element_ty), mask=mask)
    if plan.dims > 2:
        tl.store(to + 2, values[2].to(to.dtype.element_ty), mask=mask)


@triton.jit
def _store_sums(to, g, value, plan: tl.constexpr):
    tl.store(to, tl.sum(g[0] * value, 0))
    if plan.dims > 1:
        tl.store(to + 1, tl.sum(g[1] * value, 0))
    if plan.dims > 2:
        tl.store(to + 2, tl.sum(g[2] * value, 0))


@triton.jit
def _to_matrix(to, row, g, along, at, denominator, reads, pixel, inputs, outputs, plan: tl.constexpr):
    width: tl.constexpr = (plan.dims + (1 if plan.projective else 0)) * (plan.dims + 1)
    to += row * width
    if plan.projective:
        divisor = tl.where(reads, denominator.to(g[0].dtype), 1.0)
        down = along[0] * _from_centre(at[0], inputs.x, g[0].dtype)
        down += along[1] * _from_centre(at[1], inputs.y, g[0].dtype)
        down += along[2] * _from_centre(at[2], inputs.z, g[0].dtype)
        _moments_of(to + plan.dims * (plan.dims + 1), divide(-down, divisor), pixel, outputs, plan)
        g = (divide(g[0], divisor), divide(g[1], divisor), divide(g[2], divisor))
    _moments(to, g, pixel, outputs, plan)


@triton.jit
def _from_centre(x, length, kind: tl.constexpr):
    return (x - tl.cast(length - 1, x.dtype) * 0.5).to(kind)


@triton.jit
def _moments(to, g, pixel, outputs, plan: tl.constexpr):
    """The gradient of a matrix: of every row the gradient's sums with the lattice's coordinates and alone."""
    _moments_of(to, g[0], pixel, outputs, plan)
    if plan.dims > 1:
        _moments_of(to + plan.dims + 1, g[1], pixel, outputs, plan)
    if plan.dims > 2:
        _moments_of(to + 2 * plan.dims + 2, g[2], pixel, outputs, plan)


@triton.jit
def _moments_of(to, g, pixel, outputs, plan: tl.constexpr):
    tl.store(to, tl.sum(g * normalised(pixel[0], outputs.x, g.dtype, plan), 0))
    if plan.dims > 1:
        tl.store(to + 1, tl.sum(g * normalised(pixel[1], outputs.y, g.dtype, plan), 0))
    if plan.dims > 2:
        tl.store(to + 2, tl.sum(g * normalised(pixel[2], outputs.z, g.dtype, plan), 0))
    tl.store(to + plan.dims, tl.sum(g, 0))


@triton.jit
def _to_stored(to, grid, g, pixel, exists, outputs, plan: tl.constexpr):
    """Sums with each function of a stored basis, four at a time: a sum over a tile is slow to start."""
    pixels = tl.cast(outputs.x, tl.int64) * outputs.y * outputs.z
    place = (pixel[2].to(tl.int64) * outputs.y + pixel[1]) * outputs.x + pixel[0]
    for start in range(0, grid.functions, 4):
        function = start + tl.arange(0, 4)
        there = function < grid.functions
        at = function.to(tl.int64)[:, None] * pixels + place[None, :]
        value = tl.load(grid.tables.x + at, mask=there[:, None] & exists[None, :], other=0.0).to(g[0].dtype)
        sums = (
            tl.sum(value * g[0][None, :], 1),
            tl.sum(value * g[1][None, :], 1),
            tl.sum(value * g[2][None, :], 1),
        )
        _store(to + function * plan.dims, sums, there, plan)


@triton.jit
def _controls(index, length, count, size: tl.constexpr, plan: tl.constexpr):
    """The control points, from and to, that a tile beginning at output pixel `index` depends on."""
    last = tl.minimum(index + (size - 1), length - 1)
    return first_control(index, length, count, plan), first_control(last, length, count, plan) + 4


@triton.jit
def _to_separable(to, grid, g, pixel, exists, outputs, plan: tl.constexpr, tile: tl.constexpr):
    """Sums with each function that is not zero all over the tile; the others' places hold zeros already."""
    from_x, to_x = _controls(tl.min(pixel[0], 0), outputs.x, grid.counts.x, tile.x, plan)
    from_y, to_y = 0, 1
    from_z, to_z = 0, 1
    if plan.dims > 1:
        from_y, to_y = _controls(tl.min(pixel[1], 0), outputs.y, grid.counts.y, tile.y, plan)
    if plan.dims > 2:
        from_z, to_z = _controls(tl.min(pixel[2], 0), outputs.z, grid.counts.z, tile.z, plan)
    for c in range(from_z, to_z):
        along_z = g[0] * 0.0 + 1.0
        if plan.dims > 2:
            along_z = tl.load(grid.tables.z + c * outputs.z + pixel[2], mask=exists, other=0.0).to(g[0].dtype)
        for b in range(from_y, to_y):
            along = along_z
            if plan.dims > 1:
                table = grid.tables.y + b * outputs.y + pixel[1]
                along *= tl.load(table, mask=exists, other=0.0).to(g[0].dtype)
            for a in range(from_x, to_x):
                table = grid.tables.x + a * outputs.x + pixel[0]
                value = along * tl.load(table, mask=exists, other=0.0).to(g[0].dtype)
                control = (c * grid.counts.y + b) * grid.counts.x + a
                _store_sums(to + control * plan.dims, g, value, plan)
