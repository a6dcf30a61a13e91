"""Affine and projective against torch, OpenCV and scikit-image."""

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage.transform import ProjectiveTransform
from support.closeness import assert_close
from support.families import EVERY_CONVENTION, random_theta
from torch.nn import functional as F

from torchstn import sample, transform
from torchstn.transform import Transform


def to_pixels(size: tuple[int, int], align_corners: bool) -> NDArray[np.float64]:
    """The 3 x 3 matrix from normalised to pixel coordinates, written from the definition."""
    h, w = (length - 1 if align_corners else length for length in size)
    return np.array([[w / 2, 0, (size[1] - 1) / 2], [0, h / 2, (size[0] - 1) / 2], [0, 0, 1]])


def in_pixels(
    matrix: NDArray[np.float64], size: tuple[int, int], input_size: tuple[int, int], align_corners: bool
) -> NDArray[np.float64]:
    """A normalised 3 x 3 matrix as a map from output pixels to input pixels."""
    back = np.linalg.inv(to_pixels(size, align_corners))
    return to_pixels(input_size, align_corners) @ matrix @ back


def pixel_centres(size: tuple[int, int]) -> NDArray[np.float64]:
    """(h w, 2), (x, y)."""
    y, x = np.mgrid[: size[0], : size[1]]
    return np.stack([x.ravel(), y.ravel()], -1).astype(np.float64)


@pytest.mark.filterwarnings("ignore:Since version 1.3.0, affine_grid behavior has changed")
@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("size", [(5, 7), (1, 4), (3, 4, 6), (2, 1, 3)], ids=str)
def test_affine_points_are_those_of_torch(size: tuple[int, ...], align_corners: bool) -> None:
    dims = len(size)
    theta = torch.randn(3, dims * (dims + 1), dtype=torch.float64)
    grid = transform.Affine(dims=dims)(theta, size, align_corners=align_corners)
    matrix = theta.view(3, dims, dims + 1)
    expected = F.affine_grid(matrix, [3, 1, *size], align_corners=align_corners)
    assert_close(grid.points(), expected)


@pytest.mark.parametrize(
    ("family", "matrix"),
    [
        (transform.Translation(), [[1, 0, 2], [0, 1, 3]]),
        (transform.Attention(), [[2, 0, 3], [0, 2, 4]]),
        (transform.Attention(scale=0.5), [[0.5, 0, 2], [0, 0.5, 3]]),
        (transform.Translation(dims=3), [[1, 0, 0, 2], [0, 1, 0, 3], [0, 0, 1, 4]]),
        (transform.Attention(dims=3), [[2, 0, 0, 3], [0, 2, 0, 4], [0, 0, 2, 5]]),
        (transform.Attention(dims=1), [[2, 3]]),
    ],
    ids=["translation", "attention", "fixed scale", "translation-3d", "attention-3d", "attention-1d"],
)
def test_the_simple_families_are_the_matrices_of_the_paper(
    family: Transform, matrix: list[list[float]]
) -> None:
    theta = torch.arange(2.0, 2.0 + family.n_parameters)[None]
    grid = family(theta, (4, 5, 6)[-family.dims :])
    assert grid.matrix[0].tolist() == matrix


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
def test_projective_reads_where_opencv_and_scikit_image_do(align_corners: bool) -> None:
    size, input_size = (5, 9), (6, 4)
    family = transform.Projective()
    theta = random_theta(family, 4)
    grid = family(theta, size, align_corners=align_corners)
    coordinates = torch.stack(grid.pixel_coordinates(input_size), -1).flatten(1, 2)
    for row, found in zip(theta, coordinates, strict=True):
        matrix = in_pixels(np.append(row.numpy(), 1).reshape(3, 3), size, input_size, align_corners)
        centres = pixel_centres(size)
        assert_close(found, cv2.perspectiveTransform(centres[None], matrix)[0])
        assert_close(found, ProjectiveTransform(matrix)(centres))


def test_projective_through_four_corners_as_opencv_finds_it() -> None:
    """The quadrangle of the input, straightened to the output, in pixels of both."""
    size, input_size = (20, 30), (40, 50)
    corners = np.array([[0, 0], [29, 0], [29, 19], [0, 19]], np.float32)
    quadrangle = np.array([[5, 4], [41, 9], [47, 33], [2, 29]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, quadrangle)  # output pixels to input pixels
    normalised = np.linalg.inv(to_pixels(input_size, False)) @ matrix @ to_pixels(size, False)
    theta = torch.from_numpy((normalised / normalised[2, 2]).ravel()[:8])[None]
    grid = transform.Projective()(theta, size)
    mapped = grid.map_points(torch.from_numpy(corners).double()[None], input_size=input_size)
    # OpenCV solves for the matrix; worst seen 1e-14.
    assert_close(mapped[0], quadrangle.astype(np.float64), tolerance=1e-10)

    image = cv2.GaussianBlur(np.random.default_rng(0).random(input_size).astype(np.float32), (0, 0), 2)
    expected = cv2.warpPerspective(
        image,
        matrix,
        size[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    output = sample(torch.from_numpy(image)[None, None], grid)[0, 0]
    # OpenCV reads at whole 1/32 of a pixel; this image changes by 0.15 a pixel. Worst seen 9e-4.
    assert (output - torch.from_numpy(expected)).abs().max() < 3e-3


def test_projective_in_three_dimensions_divides_by_the_last_row() -> None:
    family = transform.Projective(dims=3)
    theta = random_theta(family, 2)
    size = (3, 4, 5)
    grid = family(theta, size)
    inputs = transform.Affine(dims=3)(transform.Affine(dims=3).identity()[None].double(), size).points()
    matrix = np.concatenate([theta.numpy(), np.ones((2, 1))], 1).reshape(2, 4, 4)
    homogeneous = (
        np.concatenate([inputs.numpy()[0], np.ones((*size, 1))], -1) @ matrix.swapaxes(1, 2)[:, None, None]
    )
    assert_close(grid.points(), homogeneous[..., :3] / homogeneous[..., 3:])
