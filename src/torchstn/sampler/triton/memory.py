"""What the kernels are told: where things lie in memory, and what is known when they are compiled.

Nothing here needs Triton: these tuples are arguments of the kernels, which read their fields by name.
"""

from typing import Any, NamedTuple


class Axes(NamedTuple):
    """One thing per axis; an axis that the image lacks has one pixel and no stride."""

    x: Any
    y: Any
    z: Any


class Pixels(NamedTuple):
    """An image: (n, c, *size), strides in elements."""

    data: Any
    batch: int  # 0 where one image serves every grid
    channel: int
    axes: Axes


class GridMemory(NamedTuple):
    """A grid, as it is described; what its kind lacks is None."""

    matrix: Any
    matrix_batch: int
    offsets: Any
    offsets_batch: int
    functions: int
    tables: Axes  # of each axis; a stored basis is all in the first
    counts: Axes  # control points
    points: Any
    points_batch: int
    points_component: int
    points_axes: Axes


NOTHING = GridMemory(None, 0, None, 0, 0, Axes(None, None, None), Axes(0, 0, 0), None, 0, 0, Axes(0, 0, 0))


class Plan(NamedTuple):
    """What a kernel is compiled for."""

    dims: int
    kind: str
    projective: bool
    kernel: str
    padding: str
    align_corners: bool
    channels_last: bool
    wide_sums: bool  # sums in float64, else in float32
    wide_index: bool  # an image's elements do not fit 32 bits
    taps: int  # pixels read along an axis
    rows: int  # rows of them read by a point
    unrolled: int  # rows of one turn of a loop


class Tile(NamedTuple):
    """What one program works on: a box of output pixels, some channels at a time; all powers of two."""

    x: int
    y: int
    z: int
    channels: int
