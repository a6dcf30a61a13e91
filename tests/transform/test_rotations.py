"""Rigid and similarity against SciPy's rotations, scikit-image, and SciPy's resampling in pixels."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation
from skimage.transform import EuclideanTransform, SimilarityTransform
from support.closeness import assert_close
from support.families import EVERY_CONVENTION, smooth_image

from torchstn import sample, transform
from torchstn.transform.rotation import rotation_matrix

DOUBLE = torch.float64


@pytest.mark.parametrize("length", [0.0, 1e-12, 1e-5, 0.0316, 0.0317, 0.5, 3.0, np.pi, 6.5, 100.0])
def test_rotation_vectors_are_those_of_scipy(length: float) -> None:
    """On both sides of the series' end, at 0.0316, and past a full turn."""
    axes = torch.randn(5, 3, dtype=DOUBLE)
    vectors = axes / axes.norm(dim=1, keepdim=True) * length
    expected = Rotation.from_rotvec(vectors.numpy()).as_matrix()
    assert_close(rotation_matrix(vectors, 3), expected)


def test_rotation_vectors_along_the_axes() -> None:
    """About z, x turns towards y, as in 2-D: SciPy's own convention for (x, y, z)."""
    turn = rotation_matrix(torch.tensor([[0.0, 0.0, 0.5]], dtype=DOUBLE), 3)
    flat = rotation_matrix(torch.tensor([[0.5]], dtype=DOUBLE), 2)
    assert_close(turn[:, :2, :2], flat)


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
def test_rigid_and_similarity_are_those_of_scikit_image(align_corners: bool) -> None:
    """In pixels about the image's centre, on an image that is not square."""
    h, w = 6, 11
    extent = np.array([w - align_corners, h - align_corners])
    centre = np.array([w - 1, h - 1]) / 2
    angle, scale, shift = 0.7, 1.3, np.array([0.2, -0.3])
    pixels = np.stack(np.meshgrid(np.arange(w), np.arange(h)), -1).reshape(-1, 2) - centre

    rigid = transform.Rigid()(
        torch.tensor([[angle, *shift]], dtype=DOUBLE), (h, w), align_corners=align_corners
    )
    expected = EuclideanTransform(rotation=angle, translation=shift * extent / 2)(pixels) + centre
    assert_close(torch.stack(rigid.pixel_coordinates((h, w)), -1).view(-1, 2), expected)

    theta = torch.tensor([[scale, angle, *shift]], dtype=DOUBLE)
    similarity = transform.Similarity()(theta, (h, w), align_corners=align_corners)
    expected = (
        SimilarityTransform(scale=scale, rotation=angle, translation=shift * extent / 2)(pixels) + centre
    )
    assert_close(torch.stack(similarity.pixel_coordinates((h, w)), -1).view(-1, 2), expected)


def by_ndimage(image: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """SciPy's linear resampling with `matrix` in pixels, array order, about the centre."""
    centre = (np.array(image.shape) - 1) / 2
    offset = centre - matrix @ centre
    return ndimage.affine_transform(image, matrix, offset, order=1, mode="grid-constant")


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
def test_turns_pixels_on_an_image_that_is_not_square(align_corners: bool) -> None:
    """200 x 100 pixels turned in normalised coordinates would be sheared."""
    image = smooth_image((10, 21))[:, :1]
    theta = torch.tensor([[0.5, 0.0, 0.0]], dtype=DOUBLE)
    output = sample(image, transform.Rigid()(theta, (10, 21), align_corners=align_corners))
    matrix = Rotation.from_rotvec([0, 0, 0.5]).as_matrix()[:2, :2][::-1, ::-1]  # (x, y) to (row, column)
    assert_close(output[0, 0], by_ndimage(image[0, 0].numpy(), matrix))


def test_turns_millimetres_where_a_spacing_is_given() -> None:
    image = smooth_image((6, 9, 7))[:, :1]
    spacing = np.array([3.0, 0.8, 1.5])  # of array axes
    vector = np.array([0.3, -0.5, 0.4])
    theta = torch.tensor([[1.2, *vector, 0, 0, 0]], dtype=DOUBLE)
    grid = transform.Similarity(dims=3)(theta, (6, 9, 7), spacing=tuple(spacing))
    turn = 1.2 * Rotation.from_rotvec(vector).as_matrix()[::-1, ::-1]
    matrix = np.diag(1 / spacing) @ turn @ np.diag(spacing)
    assert_close(sample(image, grid)[0, 0], by_ndimage(image[0, 0].numpy(), matrix), tolerance=1e-11)


def test_turns_the_pixels_of_the_input_where_its_size_is_given() -> None:
    """The output's own aspect (square) must then play no part."""
    size, input_size = (8, 8), (8, 16)
    theta = torch.tensor([[0.6, 0.0, 0.0]], dtype=DOUBLE)
    grid = transform.Rigid()(theta, size, input_size=input_size)
    x, y = (value[0].numpy() for value in grid.pixel_coordinates(input_size))
    # Output pixels are two input pixels wide: a row steps by (2 cos, 2 sin), a column by (-sin, cos).
    assert np.allclose(
        np.stack([np.diff(x, axis=1), np.diff(y, axis=1)]),
        2 * np.array([np.cos(0.6), np.sin(0.6)])[:, None, None],
    )
    assert np.allclose(
        np.stack([np.diff(x, axis=0), np.diff(y, axis=0)]),
        np.array([-np.sin(0.6), np.cos(0.6)])[:, None, None],
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("angle", [1e18, 1e20, 1e38])
def test_a_rotation_vector_of_any_length_has_finite_gradients(angle: float, dtype: torch.dtype) -> None:
    theta = torch.tensor([[angle, -angle, angle, 0, 0, 0]], dtype=dtype, requires_grad=True)
    points = transform.Rigid(dims=3)(theta, (2, 3, 4)).points()
    assert points.isfinite().all()
    (gradient,) = torch.autograd.grad(points.square().sum(), theta)
    assert gradient.isfinite().all()
