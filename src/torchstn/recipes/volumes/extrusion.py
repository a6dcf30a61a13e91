"""Digits as slabs of ink somewhere in a volume, turned in space: the data of the paper's appendix A.3."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...data import Draws
from ...data.distortion.base import DIGIT, Reals, checked_batches
from ...sampler import sample
from ...transform import Affine
from ...transform.rotation import rotation_matrix

SIDE = 60
"""Of the paper's volume, in voxels."""


class Pose(NamedTuple):
    """Where slabs lie: a point d of a slab, in voxels from its middle, is at rotation @ d + centre."""

    rotation: Tensor
    """float64 (b, 3, 3)."""
    centre: Tensor
    """float64 (b, 3), in voxels from the middle of the volume, (x, y, z)."""


@dataclass(frozen=True)
class Extruded:
    """Extrudes digits, turns them about random axes and puts them at random places of a volume.

    Called as a `torchstn.data.Distortion` is, it returns float32 (b, 1, side, side, side) in [0, 1], array
    order z, y, x. A volume depends on its own image and index, on seed and epoch, and on nothing else.

    The axis of the turn is uniform on the sphere, its angle uniform in [0, degrees]. The slab lies anywhere
    wholly inside the volume: along each axis its middle is uniform over all places where its turned box
    fits. Slab and volume are interpolated once, linearly.
    """

    side: int = SIDE
    """Of the volume, in voxels."""
    depth: int = 8
    """Of the slab, in voxels; across it has the 28 x 28 of a digit's image."""
    degrees: float = 45.0
    """Largest angle of the turn."""

    @property
    def box(self) -> Reals:
        """Half the slab's lengths in voxels, (x, y, z)."""
        return np.array([DIGIT, DIGIT, self.depth]) / 2

    def __call__(
        self, images: Tensor, indices: Tensor, *, seed: int, epoch: int, clutter: Tensor | None = None
    ) -> Tensor:
        """Makes the volumes of digits.

        Args:
            images: uint8 (b, 28, 28), 0 background, 255 ink.
            indices: int64 (b,), each image's place in its data set.
            seed: With `epoch`, which of the endlessly many poses.
            epoch: -1, by custom, for a fixed test set.
            clutter: Not used.

        Raises:
            TypeError: If the images are not uint8, or the indices not int64.
            ValueError: If a shape is wrong.
        """
        # Joining volumes would copy all of them; these are written once.
        volumes = torch.zeros(len(images), 1, self.side, self.side, self.side)
        drawn = 0
        for batch in checked_batches(images, indices, seed=seed, epoch=epoch):
            count = len(batch.images)
            self._draw(batch.digits, self.pose(batch.draws), volumes[drawn : drawn + count])
            drawn += count
        return volumes

    def pose(self, draws: Draws) -> Pose:
        """The poses of a batch."""
        axis = draws.normal("axis", 3)
        axis /= np.linalg.norm(axis, axis=1, keepdims=True)
        angle = np.radians(draws.uniform("angle", 1, 0.0, self.degrees))
        rotation = rotation_matrix(torch.from_numpy(axis * angle), 3)
        room = self.side / 2 - rotation.abs().numpy() @ self.box
        centre = draws.uniform("place", 3, -1.0, 1.0) * room
        return Pose(rotation, torch.from_numpy(centre))

    def _draw(self, digits: Tensor, pose: Pose, volumes: Tensor) -> None:
        """Draws the cube about each slab; the rest of its volume, most of it, is zero already."""
        radius = float(np.linalg.norm(self.box + 0.5))  # interpolated ink reaches half a voxel further
        cube = min(self.side, 2 * math.ceil(radius) + 2)
        room = (self.side - cube) / 2
        # On whole voxels. Near a wall the cube stays inside, as the slab does.
        corner = (pose.centre + room).round().clamp(0, self.side - cube)
        inverse = pose.rotation.mT
        shift = inverse @ (corner - room - pose.centre)[:, :, None]
        box = torch.from_numpy(self.box)[:, None]
        theta = torch.cat((inverse * (cube / 2) / box, shift / box), 2).float().flatten(1)
        slabs = digits[:, :, None].expand(-1, -1, self.depth, -1, -1)
        cubes = sample(slabs, Affine(dims=3)(theta, (cube, cube, cube)))
        for volume, drawn, (x, y, z) in zip(volumes, cubes, corner.int().tolist(), strict=True):
            volume[:, z : z + cube, y : y + cube, x : x + cube] = drawn
