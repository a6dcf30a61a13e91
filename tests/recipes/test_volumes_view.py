"""What is measured of a transformer's view, on poses and maps whose answer is plain."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from torchstn.recipes.volumes.extrusion import Pose
from torchstn.recipes.volumes.view import View, view

SIDE = 60
IDENTITY = torch.eye(3, 4).flatten()[None]


def pose(vectors: list[list[float]], centres: list[list[float]]) -> Pose:
    """From rotation vectors in degrees and centres in voxels."""
    rotations = Rotation.from_rotvec(np.array(vectors), degrees=True).as_matrix()
    return Pose(torch.from_numpy(rotations), torch.tensor(centres, dtype=torch.float64))


def plain(given: Pose) -> View:
    return view(given, IDENTITY.expand(len(given.rotation), -1), SIDE)


def test_a_plain_projection_shows_the_pose() -> None:
    seen = plain(
        pose(
            [[30, 0, 0], [0, -40, 0], [0, 0, 25], [0, 0, -90]], [[0, 0, 9], [6, 3, 0], [0, 0, 0], [-15, 0, 5]]
        )
    )
    assert seen.tilt.tolist() == pytest.approx([30, 40, 0, 0], abs=1e-5)
    # About z from x towards y, and y runs down: clockwise as one looks.
    assert seen.turn.tolist() == pytest.approx([0, 0, 25, -90])
    # 6 of 60 voxels are 10 per cent of the width.
    assert seen.centre.flatten().tolist() == pytest.approx([0, 0, 10, 5, 0, 0, -25, 0])


def undoing(given: Pose, zoom: float) -> Tensor:
    """The theta that puts each digit upright into the middle, `zoom` times as large."""
    linear = given.rotation / zoom
    return torch.cat((linear, given.centre[:, :, None] / (SIDE / 2)), 2).flatten(1)


@pytest.mark.parametrize("zoom", [1.0, 1.7])
def test_the_map_that_undoes_every_pose_leaves_no_spread(zoom: float) -> None:
    given = pose([[30, 10, -20], [0, -40, 60]], [[3, 0, 9], [6, -7, 0]])
    seen = view(given, undoing(given, zoom), SIDE)
    for found in (seen.tilt, seen.turn, seen.centre.flatten()):
        # An arc cosine near 1 keeps half the digits of float64.
        assert found.abs().max() < 1e-5
    assert max(seen.summary().values()) < 1e-5
    assert min(plain(given).summary().values()) > 5


def test_a_tilt_is_that_of_the_line_of_sight_whatever_else_is_sheared() -> None:
    shear = torch.eye(3, 4)
    shear[0, 1], shear[0, 2] = 0.7, math.tan(math.radians(20))
    seen = view(pose([[0, 0, 0], [0, 20, 0]], [[0, 0, 0]] * 2), shear.flatten().expand(2, -1), SIDE)
    assert seen.tilt.tolist() == pytest.approx([20, 0], abs=1e-5)


def test_the_same_offset_for_all_is_no_spread() -> None:
    offset = IDENTITY.clone()
    offset[0, 3] = 0.5
    given = pose([[0, 0, 10], [0, 0, 10]], [[5, 5, 0], [5, 5, 9]])
    seen = view(given, offset.expand(2, -1), SIDE)
    assert seen.summary()["spread of centre (% of width)"] == pytest.approx(0)
    assert seen.summary()["spread of turn (degrees)"] == pytest.approx(0)
    assert seen.centre[:, 0].tolist() == pytest.approx([100 * 5 / 60 - 25] * 2)
