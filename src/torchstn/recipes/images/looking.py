"""Where the transformers of a model look on a picture."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ... import SpatialTransformer, sample
from ...grid import Grid
from .model import PictureClassifier

_ALONG = 8
"""Steps along a side of an outline: enough for a curved one."""


class Seen(NamedTuple):
    """What a model made of a batch.

    Attributes:
        probabilities: (b, classes).
        grids: Where each view of the picture is read, one a view; none without a transformer.
    """

    probabilities: Tensor
    grids: tuple[Grid, ...]


@torch.no_grad()
def look(model: PictureClassifier, pictures: Tensor) -> Seen:
    """Passes pictures (b, 3, size, size) through a model in eval mode and keeps where it looked.

    A transformer deep in the backbone warps maps, and maps lie over the picture they are made of; so what is
    given for each view is the product of all warps on its way.
    """
    device = next(model.parameters()).device
    with _grids(model) as made:
        probabilities = model(pictures.to(device)).softmax(1).cpu()
    views = 1 if model.transformer is None else len(model.transformer.transformers)
    if not made:
        return Seen(probabilities, ())
    if model.transformer is None:
        outer, deep = [], made
    else:
        # A backbone that is shared has also run before, on the whole picture, to say where to look.
        first = len(_transformers(model.backbone)) if model.shared else 0
        outer, deep = made[first : first + views], made[first + views :]
    chains = [
        [*outer[view : view + 1], *(grid[torch.arange(view, grid.batch, views)] for grid in deep)]
        for view in range(views)
    ]
    return Seen(probabilities, tuple(reduce(lambda first, second: first @ second, chain) for chain in chains))


def outlines(grid: Grid, side: int) -> Tensor:
    """The outline of what a view shows, (b, points, 2) as (x, y) in pixels of a square picture of a side.

    It starts at the view's upper left corner and goes round clockwise; every eighth point is a corner.
    """
    steps = torch.arange(_ALONG) / _ALONG * 2 - 1
    ones = torch.ones(_ALONG)
    sides = [(steps, -ones), (ones, steps), (-steps, ones), (-ones, -steps)]
    rim = torch.cat([torch.stack(side, 1) for side in sides])[None].to(grid.device, grid.dtype)
    extent = torch.tensor(float(side))
    points: Tensor = grid.at(rim.expand(grid.batch, -1, -1)).cpu().float()
    if grid.align_corners:
        return (points + 1) / 2 * (extent - 1) + 0.5
    return (points + 1) / 2 * extent


def corners(outline: Tensor) -> Tensor:
    """The four corners (b, 4, 2) of outlines."""
    return outline[:, ::_ALONG]


def crops_of(grids: Sequence[Grid], pictures: Tensor, side: int) -> Tensor:
    """What views show of pictures (b, 3, h, w) uint8, as squares (b, views, 3, side, side)."""
    if not grids:
        return pictures.new_empty(len(pictures), 0, 3, side, side)
    centres = (2 * torch.arange(side) + 1) / side - 1
    spots = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), -1).view(1, -1, 2)
    crops = []
    for grid in grids:
        points = grid.at(spots.to(grid.device, grid.dtype).expand(grid.batch, -1, -1))
        read = points.to(pictures.device).unflatten(1, (side, side))
        crops.append(sample(pictures, read, align_corners=grid.align_corners))
    return torch.stack(crops, 1)


@contextmanager
def _grids(model: nn.Module) -> Iterator[list[Grid]]:
    """Gathers what every transformer of a model makes during a pass, in the order in which they run."""
    made: list[Grid] = []

    def keep(_module: nn.Module, _arguments: Any, grid: Grid) -> None:
        made.append(grid.detach())

    handles = [transformer.transform.register_forward_hook(keep) for transformer in _transformers(model)]
    try:
        yield made
    finally:
        for handle in handles:
            handle.remove()


def _transformers(model: nn.Module) -> list[SpatialTransformer]:
    return [module for module in model.modules() if isinstance(module, SpatialTransformer)]
