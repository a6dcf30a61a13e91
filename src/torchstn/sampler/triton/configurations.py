"""How the work is cut up: a few configurations that a kernel may run in, the likeliest first."""

from math import prod
from typing import NamedTuple

import torch

from .job import Job
from .loading import INTERPRETING
from .memory import Axes, Tile

BOXES = {
    1: ((128, 1, 1), (256, 1, 1), (512, 1, 1)),
    2: ((32, 4, 1), (16, 8, 1), (32, 8, 1), (16, 16, 1), (64, 2, 1)),
    3: ((32, 2, 2), (16, 4, 2), (8, 4, 4), (32, 4, 2)),
}
"""Of output pixels, where a thread has a pixel; squarish ones read fewer lines of a turned image."""

UNFUSED = {"enable_fp_fusion": False}
"""Of every launch: products and sums that make a coordinate are rounded one by one."""

INTERPRETED = {1: (64, 1, 1), 2: (32, 16, 1), 3: (8, 4, 4)}
"""The only ones under the interpreter, whose work is per operation, not per number."""


class Configuration(NamedTuple):
    """A tile, the warps that share it, and how many programs share its channels."""

    tile: Tile
    warps: int
    shares: int

    def tiles(self, outputs: Axes) -> Axes:
        """How many tiles cover an output along each axis."""
        return Axes(*[-(-length // part) for length, part in zip(outputs, self.tile[:3], strict=True)])

    def share(self, channels: int) -> int:
        """Channels of one program."""
        return -(-channels // (self.shares * self.tile.channels)) * self.tile.channels


def configurations(job: Job, divisible: bool = True) -> list[Configuration]:
    """Configurations for a call; `divisible` says whether several programs may share a tile's channels."""
    if INTERPRETING:
        tile = Tile(*INTERPRETED[job.plan.dims], min(_power(job.channels), 8))
        return [Configuration(tile, 4, 2 if divisible and job.channels > 8 else 1)]
    found = [
        Configuration(tile, warps, _shares(job, tile) if divisible else 1)
        for tile, warps in (_side_by_side if job.plan.channels_last else _planes)(job)
    ]
    return list(dict.fromkeys(found))


def _planes(job: Job) -> list[tuple[Tile, int]]:
    """A thread has a pixel, and goes through its channels one, two or four at a time."""
    boxes = BOXES[job.plan.dims]
    tiles = [Tile(*box, 1) for box in boxes]
    tiles += [Tile(*boxes[0], min(_power(job.channels), count)) for count in (2, 4)]
    return [(tile, 4) for tile in tiles]


def _side_by_side(job: Job) -> list[tuple[Tile, int]]:
    """Threads share the channels of a pixel, sixteen bytes each, where there are as many."""
    channels = min(_power(job.channels), 64)
    each = min(16 // job.image.data.element_size(), channels)
    return [
        (Tile(*_box(max(1, 32 * warps * each // channels), job.plan.dims), channels), warps)
        for warps in (4, 8, 2)
    ]


def _box(count: int, dims: int) -> tuple[int, int, int]:
    """So many pixels, as near to a cube as powers of two come, and wider rather than higher."""
    bits = count.bit_length() - 1
    z = bits // 3 if dims == 3 else 0
    y = (bits - z) // 2
    return 1 << (bits - z - y), 1 << y, 1 << z


def _shares(job: Job, tile: Tile) -> int:
    """As many as it takes to have some programs for every multiprocessor."""
    configuration = Configuration(tile, 4, 1)
    programs = job.batch * prod(configuration.tiles(job.outputs))
    wanted = 4 * torch.cuda.get_device_properties(job.image.data.device).multi_processor_count
    return max(1, min(wanted // programs, -(-job.channels // tile.channels), 1024))


def _power(number: int) -> int:
    """The least power of two that is no less."""
    return 1 << (number - 1).bit_length()
