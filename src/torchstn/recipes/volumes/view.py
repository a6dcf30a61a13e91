"""How a transformer comes to see digits whose pose is known: from which side, and where in the picture."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .extrusion import Pose


@dataclass(frozen=True)
class View:
    """How each of n digits is seen in its projection."""

    tilt: Tensor
    """(n,) degrees in [0, 90] between the line of sight and the digit's normal; 0 sees it face on."""
    turn: Tensor
    """(n,) degrees in [-180, 180] by which the digit is turned in the picture, clockwise as one looks."""
    centre: Tensor
    """(n, 2) where its middle lies, (x, y) in per cent of the picture's width, from the picture's middle."""

    def summary(self) -> dict[str, float]:
        """One number each: the mean tilt, and how far turn and centre spread about their means.

        What the transformer chooses as its upright and its middle is free; that it is the same for all
        digits is what it is there for.
        """
        return {
            "tilt (degrees)": float(self.tilt.mean()),
            "spread of turn (degrees)": float(self.turn.std(correction=0)),
            "spread of centre (% of width)": float(
                (self.centre - self.centre.mean(0)).square().sum(1).mean().sqrt()
            ),
        }


def view(pose: Pose, theta: Tensor, side: int) -> View:
    """How digits in a volume look once an affine transformer has turned it and it is summed over depth.

    Args:
        pose: Of n digits.
        theta: (n, 12) of the transformer, output to volume; the identity's for a plain projection.
        side: Of the volume in voxels.

    Returns:
        The views, float64.
    """
    matrix = theta.double().view(-1, 3, 4)
    linear, shift = matrix[:, :, :3], matrix[:, :, 3:]
    sight, normal = linear[:, :, 2], pose.rotation[:, :, 2]
    straight = torch.linalg.vecdot(sight, normal).abs() / sight.norm(dim=1)
    # From the digit to the picture: through the volume, and back along what the transformer reads.
    seen = torch.linalg.solve(linear, pose.rotation)
    turn = torch.atan2(seen[:, 1, 0] - seen[:, 0, 1], seen[:, 0, 0] + seen[:, 1, 1])
    centre = torch.linalg.solve(linear, 2 / side * pose.centre[:, :, None] - shift)
    return View(
        straight.clamp(max=1).acos().mul(180 / math.pi), turn.mul(180 / math.pi), 50 * centre[:, :2, 0]
    )
