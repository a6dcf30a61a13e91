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
    """Threads share the channels of a pixel, sixteen bytes each."""
    channels = min(_power(job.channels), 64)
    found = []
    for elements in (1024, 2048, 512):
        side = max(1, elements // channels)
        y = min(8, _power(int(side**0.5)))
        box = (
            (side // y, y, 1)
            if job.plan.dims == 2
            else (max(side // 4, 1), min(side, 2), min(max(side // 2, 1), 2))
        )
        found.append((Tile(*box, channels), 4))
    return found


def _shares(job: Job, tile: Tile) -> int:
    """As many as it takes to have some programs for every multiprocessor."""
    configuration = Configuration(tile, 4, 1)
    programs = job.batch * prod(configuration.tiles(job.outputs))
    wanted = 4 * torch.cuda.get_device_properties(job.image.data.device).multi_processor_count
    return max(1, min(wanted // programs, -(-job.channels // tile.channels), 1024))


def _power(number: int) -> int:
    """The least power of two that is no less."""
    return 1 << (number - 1).bit_length()
