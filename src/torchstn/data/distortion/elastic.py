"""E: the digit scaled, and bent by a thin plate spline."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...sampler import sample
from ...transform import ThinPlate
from .base import DIGIT, Batch, Distortion, half


@dataclass(frozen=True)
class Elastic(Distortion):
    """E: scales the digit about its centre, then bends it by moving a regular grid of control points.

    The 4 x 4 points span the canvas from corner pixel to corner pixel. The spline is read as the map from the
    distorted picture to the scaled digit: where control point p moved by d, the picture shows at p what the
    scaled digit has at p + d. (Moving the digit's points instead differs, to first order, by the sign of d,
    and d is as likely as -d.) Scale and spline make one warp, interpolated once. The paper states no canvas;
    it is read as the digit's own. About 1 in 100 of these warps fold: the paper calls the set destructive.
    """

    smallest: float = 0.75
    largest: float = 1.0
    points: int = 4
    """Control points along each side."""
    deviation: float = 1.5
    """Standard deviation of a control point's move in x and in y, in pixels."""

    def _distort(self, batch: Batch) -> Tensor:
        scale = batch.draws.uniform("scale", 1, self.smallest, self.largest)[:, :, None]
        moves = batch.draws.normal("points", 2 * self.points**2, self.deviation)
        side = np.linspace(-1.0, 1.0, self.points)
        lattice = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)  # (x, y), x fastest
        # thin plate splines contain the affine maps: to scale the result is to scale where each point goes
        moved = lattice * half(self.size) + moves.reshape(-1, len(lattice), 2)
        offsets = moved / scale / half((DIGIT, DIGIT)) - lattice
        theta = torch.from_numpy(offsets.reshape(-1, 2 * len(lattice))).float()
        return sample(batch.digits, ThinPlate(points=self.points)(theta, self.size, align_corners=True))
