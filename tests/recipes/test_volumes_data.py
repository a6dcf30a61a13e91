"""Digits in space: drawn as SciPy draws them, turned and placed as the recipe says."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.spatial.transform import Rotation
from torch import Tensor

from torchstn.data import Draws
from torchstn.recipes.volumes.extrusion import Extruded, Pose

SMALL = Extruded(side=48, depth=5, degrees=60.0)


def digits(count: int) -> Tensor:
    """Noise up to the border: whatever a volume cuts off is seen to be missing."""
    return torch.randint(0, 256, (count, 28, 28), dtype=torch.uint8)


def volumes(extruded: Extruded, images: Tensor, indices: Tensor, seed: int = 3, epoch: int = 1) -> Tensor:
    return extruded(images, indices, seed=seed, epoch=epoch)


def drawn_by_scipy(extruded: Extruded, image: Tensor, rotation: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The slab read, linearly, at the place in it of every voxel."""
    slab = np.repeat(image.double().numpy()[None] / 255, extruded.depth, axis=0)
    axis = np.arange(extruded.side) - (extruded.side - 1) / 2
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    inside = np.stack([x, y, z], -1) @ rotation - centre @ rotation  # the inverse of a rotation: transposed
    coordinates = [inside[..., k] + (slab.shape[2 - k] - 1) / 2 for k in (2, 1, 0)]
    drawn: np.ndarray = ndimage.map_coordinates(
        slab, coordinates, order=1, mode="grid-constant", cval=0.0, prefilter=False
    )
    return drawn


@pytest.mark.parametrize("extruded", [SMALL, Extruded()], ids=["small", "usual"])
def test_volumes_are_those_of_scipy(extruded: Extruded) -> None:
    images, indices = digits(4), torch.arange(4)
    pose = extruded.pose(Draws(3, 1, indices.numpy()))
    made = volumes(extruded, images, indices)
    assert made.shape == (4, 1, *(extruded.side,) * 3)
    for k in range(4):
        expected = drawn_by_scipy(extruded, images[k], pose.rotation[k].numpy(), pose.centre[k].numpy())
        # Coordinates of some 30 voxels in float32, on noise: 30 * 2^-24 a few times over.
        np.testing.assert_allclose(made[k, 0], expected, atol=5e-5)


def test_slabs_lie_wholly_inside_so_no_ink_is_lost() -> None:
    images = digits(200)
    ink = SMALL.depth * images.flatten(1).sum(1) / 255
    sums = volumes(SMALL, images, torch.arange(200)).flatten(1).sum(1)
    # Summed over a lattice that is turned, interpolated noise keeps its sum only nearly.
    torch.testing.assert_close(sums, ink, rtol=0.01, atol=0.0)


def poses(extruded: Extruded, count: int = 5000) -> Pose:
    return extruded.pose(Draws(0, 0, np.arange(count)))


def test_turns_are_about_any_axis_by_any_angle_up_to_the_largest() -> None:
    vectors = Rotation.from_matrix(poses(SMALL).rotation.numpy()).as_rotvec()
    angles = np.degrees(np.linalg.norm(vectors, axis=1))
    assert 59 < angles.max() < 60
    np.testing.assert_allclose(np.histogram(angles, 6, (0, 60))[0], 5000 / 6, rtol=0.1)
    axes = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(axes.T @ axes / 5000, np.eye(3) / 3, atol=0.02)
    np.testing.assert_allclose(axes.mean(0), 0, atol=0.03)


def test_places_are_any_at_which_the_turned_slab_fits() -> None:
    pose = poses(SMALL)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1)
    corners = pose.rotation.numpy() @ (SMALL.box[:, None] * signs) + pose.centre.numpy()[:, :, None]
    reach = np.abs(corners).max(2)
    assert reach.max() <= SMALL.side / 2 + 1e-9
    # Uniform between touching one wall and the other: how far it goes towards a wall is uniform, too.
    room = SMALL.side / 2 - (reach - np.abs(pose.centre.numpy()))
    np.testing.assert_allclose(np.histogram(pose.centre.numpy() / room, 5, (-1, 1))[0], 3000, rtol=0.1)


def test_a_volume_is_the_same_in_any_batch_and_another_in_every_epoch() -> None:
    images, indices = digits(70), torch.arange(70)  # more than are drawn at once
    every = volumes(SMALL, images, indices)
    order = torch.tensor([69, 0, 65, 3])
    assert torch.equal(volumes(SMALL, images[order], order), every[order])
    for other in ({"epoch": 2}, {"seed": 4}):
        assert not torch.equal(volumes(SMALL, images[:1], indices[:1], **other), every[:1])


def test_images_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError, match="`images` must be uint8"):
        volumes(SMALL, digits(1).float(), torch.arange(1))
