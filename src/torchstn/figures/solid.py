"""Volumes seen from a corner: what lies in them as a lit solid, and boxes drawn around it."""

import math
from itertools import product

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..grid import Grid
from ..sampler import sample
from ..transform import Affine
from .style import FRAME, show_image

EDGE = "#59636d"
REACH = 1.62
"""Half of what a panel shows, in halves of the volume's side: a cube seen from a corner just fits."""
_YAW, _PITCH = math.radians(-28), math.radians(-20)
_PIXELS = 140
_LIGHT = (-0.35, -0.55, -0.75)
_AMBIENT = 0.25

Points = NDArray[np.float64]


def _looking() -> Tensor:
    """Volume to screen, (x, y, depth): x to the right, y down, depth away from who looks."""
    cos, sin = math.cos(_YAW), math.sin(_YAW)
    yaw = torch.tensor([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    cos, sin = math.cos(_PITCH), math.sin(_PITCH)
    pitch = torch.tensor([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])
    return pitch @ yaw


def show_solid(axes: Axes, volume: Tensor, *, level: float = 0.35) -> None:
    """Shows where a volume is at least `level` of its highest value, lit from the upper left.

    Args:
        axes: Where to draw; its coordinates become those of `to_screen`.
        volume: (1, d, h, w), in [0, 1].
        level: What counts as solid.
    """
    shade = _lit(volume.detach().to("cpu").float(), level)
    show_image(axes, functional.avg_pool2d(shade, 2))  # two pixels to one: smooth outlines
    axes.images[-1].set_extent((-REACH, REACH, REACH, -REACH))
    axes.set_facecolor("black")


def _lit(volume: Tensor, level: float) -> Tensor:
    """The solid's surface as it is lit, (1, pixels, pixels) in [0, 1]; 0 where there is none."""
    size = (_PIXELS // 2, 2 * _PIXELS, 2 * _PIXELS)
    theta = torch.cat((_looking().mT * REACH, torch.zeros(3, 1)), 1).flatten()[None]
    # A blurred copy: its slopes give the surface its normals, without the steps of single voxels.
    soft = functional.avg_pool3d(volume, 3, stride=1, padding=1)
    seen = sample(soft[None], Affine(dims=3)(theta, size))[0, 0]
    solid = seen >= level * seen.max().clamp(min=1e-6)
    first = solid.int().argmax(0, keepdim=True)
    # From (depth, y, x) to (x, y, depth), and to equal lengths: a step in depth is four times as long.
    slopes = torch.stack([slope.gather(0, first) for slope in torch.gradient(seen)])[[2, 1, 0], 0]
    slopes = slopes * torch.tensor([4.0, 4.0, 1.0])[:, None, None]
    normals = -functional.normalize(slopes, dim=0)
    light = functional.normalize(torch.tensor(_LIGHT), dim=0)
    facing = torch.tensordot(light, normals, 1).clamp(min=0)
    return torch.where(solid.any(0), _AMBIENT + (1 - _AMBIENT) * facing, 0.0)[None]


def to_screen(points: Points) -> Points:
    """Where normalised points (..., 3) of a volume lie on a panel, (..., 2)."""
    screen: Points = points @ _looking().double().numpy().T
    return screen[..., :2]


def draw_cube(axes: Axes) -> None:
    """Draws the edges of the volume."""
    axes.add_collection(LineCollection(_edges(_corners()), colors=EDGE, linewidths=0.6), autolim=False)
    _keep_limits(axes)


def draw_box(axes: Axes, grid: Grid | None = None, index: int = 0) -> None:
    """Draws the box a grid reads from: its front, where the line of sight enters, heavier, the top most.

    Args:
        axes: Axes that show the input volume.
        grid: An affine grid of three dimensions; None draws the box of the output itself.
        index: Which of the batch.
    """
    corners = torch.from_numpy(_corners())
    if grid is not None:
        corners = grid.at(corners.reshape(1, 8, 3).expand(grid.batch, -1, -1).to(grid.dtype))[index]
    edges = _edges(corners.detach().double().numpy().reshape(2, 2, 2, 3))
    axes.add_collection(LineCollection(edges, colors=FRAME, linewidths=0.5, alpha=0.7), autolim=False)
    front = [edge for edge, name in zip(edges, _EDGES, strict=True) if name[0][0] == name[1][0] == 0]
    top = [edge for edge, name in zip(edges, _EDGES, strict=True) if name == ((0, 0, 0), (0, 0, 1))]
    axes.add_collection(LineCollection(front, colors=FRAME, linewidths=1.0), autolim=False)
    axes.add_collection(LineCollection(top, colors=FRAME, linewidths=2.0, capstyle="round"), autolim=False)
    _keep_limits(axes)


def _keep_limits(axes: Axes) -> None:
    axes.set_xlim(-REACH, REACH)
    axes.set_ylim(REACH, -REACH)


def _corners() -> Points:
    """The corners of [-1, 1]^3, (2, 2, 2, 3): addressed by (z, y, x), each (x, y, z)."""
    z, y, x = np.meshgrid(*[(-1.0, 1.0)] * 3, indexing="ij")
    return np.stack((x, y, z), axis=-1)


Corner = tuple[int, ...]
_EDGES: list[tuple[Corner, Corner]] = [
    (a, b)
    for a, b in product(product((0, 1), repeat=3), repeat=2)
    if a < b and sum(i != j for i, j in zip(a, b, strict=True)) == 1
]


def _edges(corners: Points) -> list[Points]:
    return [to_screen(np.stack((corners[a], corners[b]))) for a, b in _EDGES]
