"""Device functions: where output pixels read, in pixels of the input, for every kind of grid.

The order of operations is that of grid/matrix.py, grid/basis.py, grid/points.py and grid/absolute.py, so that
coordinates equal the reference's to the bit; those of a basis are sums in an order of their own, in float64
like the reference's.
"""

import triton
import triton.language as tl

from .arithmetic import divide, is_finite, normalised, span, step_count


@triton.jit
def coordinates(grid, n, j, i, k, exists, inputs, outputs, plan: tl.constexpr):
    """Where the output pixels (j, i, k) of sample n read.

    Returns x, y and z, the denominator, and which pixels read at all. Coordinates that are not finite are
    replaced by 0; those of axes that the image lacks are 0, and so is a denominator that there is none of.
    """
    if plan.kind == "matrix":
        x, y, z, denominator = _by_matrix(grid, n, j, i, k, inputs, outputs, plan)
    elif plan.kind == "basis" or plan.kind == "separable":
        x, y, z, denominator = _by_matrix(grid, n, j, i, k, inputs, outputs, plan)
        u, v, w = _field(grid, n, j, i, k, exists, outputs, plan)
        x += u.to(x.dtype) * (tl.cast(span(inputs.x, plan), x.dtype) * 0.5)
        y += v.to(x.dtype) * (tl.cast(span(inputs.y, plan), x.dtype) * 0.5)
        z += w.to(x.dtype) * (tl.cast(span(inputs.z, plan), x.dtype) * 0.5)
    else:
        x, y, z, denominator = _by_points(grid, n, j, i, k, exists, inputs, outputs, plan)
    reads = exists & is_finite(x) & is_finite(y) & is_finite(z)
    if plan.projective:
        reads = reads & (denominator != 0.0)
    x = tl.where(reads, x, 0.0)
    y = tl.where(reads, y, 0.0)
    z = tl.where(reads, z, 0.0)
    return x, y, z, denominator, reads


@triton.jit
def _row(matrix, r: tl.constexpr, extent, outputs, plan: tl.constexpr):
    """A row of the matrix on pixel indices, the centre not yet added: factors of x, y and z, and the rest."""
    at = matrix + r * (plan.dims + 1)
    real: tl.constexpr = matrix.dtype.element_ty
    x = tl.load(at) * divide(tl.cast(extent, real), tl.cast(step_count(outputs.x, plan), real))
    y = x * 0.0
    z = x * 0.0
    rest = x * tl.cast(1 - outputs.x, real)
    if plan.dims > 1:
        y = tl.load(at + 1) * divide(tl.cast(extent, real), tl.cast(step_count(outputs.y, plan), real))
        rest = rest + y * tl.cast(1 - outputs.y, real)
    if plan.dims > 2:
        z = tl.load(at + 2) * divide(tl.cast(extent, real), tl.cast(step_count(outputs.z, plan), real))
        rest = rest + z * tl.cast(1 - outputs.z, real)
    rest = rest + tl.load(at + plan.dims) * tl.cast(extent, real)
    return x, y, z, rest


@triton.jit
def _last_row(matrix, outputs, plan: tl.constexpr):
    """The denominator's row on pixel indices."""
    at = matrix + plan.dims * (plan.dims + 1)
    real: tl.constexpr = matrix.dtype.element_ty
    x = divide(tl.load(at) * 2.0, tl.cast(step_count(outputs.x, plan), real))
    y = x * 0.0
    z = x * 0.0
    rest = x * tl.cast(1 - outputs.x, real) * 0.5
    if plan.dims > 1:
        y = divide(tl.load(at + 1) * 2.0, tl.cast(step_count(outputs.y, plan), real))
        rest = rest + y * tl.cast(1 - outputs.y, real) * 0.5
    if plan.dims > 2:
        z = divide(tl.load(at + 2) * 2.0, tl.cast(step_count(outputs.z, plan), real))
        rest = rest + z * tl.cast(1 - outputs.z, real) * 0.5
    return x, y, z, rest + tl.load(at + plan.dims)


@triton.jit
def _value(x, y, z, rest, j, i, k, plan: tl.constexpr):
    """A row at pixels; the slow axes are added first, as the reference does."""
    if plan.dims > 2:
        rest = rest + z * k.to(x.dtype)
    if plan.dims > 1:
        rest = rest + y * i.to(x.dtype)
    return rest + x * j.to(x.dtype)


@triton.jit
def _numerator(matrix, r: tl.constexpr, length, last, j, i, k, outputs, plan: tl.constexpr):
    """One coordinate, or with a last row its numerator."""
    x, y, z, rest = _row(matrix, r, span(length, plan), outputs, plan)
    centre = tl.cast(length - 1, x.dtype)
    if plan.projective:
        centre = centre * 0.5
        x = x + last[0] * centre
        y = y + last[1] * centre
        z = z + last[2] * centre
        rest = rest * 0.5 + last[3] * centre
    else:
        rest = (rest + centre) * 0.5
    return _value(x, y, z, rest, j, i, k, plan)


@triton.jit
def _by_matrix(grid, n, j, i, k, inputs, outputs, plan: tl.constexpr):
    matrix = grid.matrix + n.to(tl.int64) * grid.matrix_batch
    last = (0, 0, 0, 0)
    if plan.projective:
        last = _last_row(matrix, outputs, plan)
    x = _numerator(matrix, 0, inputs.x, last, j, i, k, outputs, plan)
    y = x * 0.0
    z = x * 0.0
    denominator = x * 0.0
    if plan.dims > 1:
        y = _numerator(matrix, 1, inputs.y, last, j, i, k, outputs, plan)
    if plan.dims > 2:
        z = _numerator(matrix, 2, inputs.z, last, j, i, k, outputs, plan)
    if plan.projective:
        denominator = _value(last[0], last[1], last[2], last[3], j, i, k, plan)
        x = divide(x, denominator)
        y = divide(y, denominator)
        z = divide(z, denominator)
    return x, y, z, denominator


@triton.jit
def _field(grid, n, j, i, k, exists, outputs, plan: tl.constexpr):
    """The sum of functions times offsets, in float64."""
    offsets = grid.offsets + n.to(tl.int64) * grid.offsets_batch
    if plan.kind == "basis":
        return _stored_field(grid, offsets, j, i, k, exists, outputs, plan)
    else:
        return _separable_field(grid, offsets, j, i, k, exists, outputs, plan)


@triton.jit
def _stored_field(grid, offsets, j, i, k, exists, outputs, plan: tl.constexpr):
    u = j.to(tl.float64) * 0.0
    v = u
    w = u
    pixels = tl.cast(outputs.x, tl.int64) * outputs.y * outputs.z
    at = grid.tables.x + ((k.to(tl.int64) * outputs.y + i) * outputs.x + j)
    for function in range(grid.functions):
        value = tl.load(at, mask=exists, other=0.0).to(tl.float64)
        at += pixels
        u = tl.fma(value, tl.load(offsets + function * plan.dims).to(tl.float64), u)
        if plan.dims > 1:
            v = tl.fma(value, tl.load(offsets + function * plan.dims + 1).to(tl.float64), v)
        if plan.dims > 2:
            w = tl.fma(value, tl.load(offsets + function * plan.dims + 2).to(tl.float64), w)
    return u, v, w


@triton.jit
def first_control(index, length, count, plan: tl.constexpr):
    """The first of the four control points that a cubic B-spline lattice has around an output pixel.

    The weights come from tables. Where rounding takes the neighbour, it leaves out one that is all but zero.
    """
    position = (normalised(index, length, tl.float32, plan) + 1.0) * (tl.cast(count - 3, tl.float32) * 0.5)
    return tl.minimum(tl.maximum(tl.floor(position).to(tl.int32), 0), count - 4)


@triton.jit
def _separable_field(grid, offsets, j, i, k, exists, outputs, plan: tl.constexpr):
    u = _poison(offsets, grid.functions * plan.dims) + j.to(tl.float64) * 0.0
    v = u
    w = u
    first_x = first_control(j, outputs.x, grid.counts.x, plan)
    first_y = j * 0
    first_z = j * 0
    if plan.dims > 1:
        first_y = first_control(i, outputs.y, grid.counts.y, plan)
    if plan.dims > 2:
        first_z = first_control(k, outputs.z, grid.counts.z, plan)
    rows: tl.constexpr = 4 ** (plan.dims - 1)
    for row in range(rows):
        along = u * 0.0 + 1.0
        control = first_x
        if plan.dims > 1:
            line = first_y + row % 4
            along *= tl.load(grid.tables.y + line * outputs.y + i, mask=exists, other=0.0).to(tl.float64)
            control += line * grid.counts.x
        if plan.dims > 2:
            layer = first_z + row // 4
            along *= tl.load(grid.tables.z + layer * outputs.z + k, mask=exists, other=0.0).to(tl.float64)
            control += layer * grid.counts.x * grid.counts.y
        for a in tl.static_range(4):
            table = grid.tables.x + (first_x + a) * outputs.x + j
            value = along * tl.load(table, mask=exists, other=0.0).to(tl.float64)
            at = offsets + (control + a) * plan.dims
            u = tl.fma(value, tl.load(at, mask=exists, other=0.0).to(tl.float64), u)
            if plan.dims > 1:
                v = tl.fma(value, tl.load(at + 1, mask=exists, other=0.0).to(tl.float64), v)
            if plan.dims > 2:
                w = tl.fma(value, tl.load(at + 2, mask=exists, other=0.0).to(tl.float64), w)
    return u, v, w


@triton.jit
def _poison(offsets, count):
    """NaN if one offset is not finite, else 0: the reference's sum is over all of them."""
    total = tl.zeros((512,), tl.float64)
    for start in range(0, count, 512):
        at = start + tl.arange(0, 512)
        total += tl.load(offsets + at, mask=at < count, other=0.0).to(tl.float64) * 0.0
    return tl.sum(total, 0)


@triton.jit
def _by_points(grid, n, j, i, k, exists, inputs, outputs, plan: tl.constexpr):
    at = grid.points + n.to(tl.int64) * grid.points_batch
    at += j.to(tl.int64) * grid.points_axes.x
    if plan.dims > 1:
        at += i.to(tl.int64) * grid.points_axes.y
    if plan.dims > 2:
        at += k.to(tl.int64) * grid.points_axes.z
    x = _to_pixels(_once(at, exists), j, inputs.x, outputs.x, plan)
    y = x * 0.0
    z = x * 0.0
    if plan.dims > 1:
        value = _once(at + grid.points_component, exists)
        y = _to_pixels(value, i, inputs.y, outputs.y, plan)
    if plan.dims > 2:
        value = _once(at + 2 * grid.points_component, exists)
        z = _to_pixels(value, k, inputs.z, outputs.z, plan)
    return x, y, z, x * 0.0


@triton.jit
def _once(at, exists):
    """What nobody reads again, so that it need not stay in the cache."""
    return tl.load(at, mask=exists, other=0.0, eviction_policy="evict_first")


@triton.jit
def _to_pixels(value, index, length, size, plan: tl.constexpr):
    """What a grid of points holds for one axis, in pixels."""
    if plan.kind == "pixels":
        return value
    extent = span(length, plan)
    if plan.kind == "displacement":
        # The lattice's own constants are made in float64, as Python makes them.
        scale = tl.cast(extent, tl.float64) / tl.cast(step_count(size, plan), tl.float64)
        shift = (scale * tl.cast(1 - size, tl.float64) + tl.cast(length - 1, tl.float64)) * 0.5
        lattice = index.to(value.dtype) * scale.to(value.dtype) + shift.to(value.dtype)
        return lattice + value * (tl.cast(extent, value.dtype) * 0.5)
    elif plan.align_corners:
        return (value + 1.0) * 0.5 * tl.cast(extent, value.dtype)
    else:
        return ((value + 1.0) * tl.cast(extent, value.dtype) - 1.0) * 0.5
