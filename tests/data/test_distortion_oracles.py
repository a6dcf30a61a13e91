"""The warped sets against SciPy, OpenCV and scikit-image, with the paper's numbers written out again here.

The oracles get the same random numbers and work in pixels and float64, so what is compared is the geometry:
directions, centres, axis order, canvas and what lies outside.
"""

import cv2
import numpy as np
import pytest
import skimage.measure
import skimage.transform
import torch
from scipy import ndimage
from scipy.interpolate import RBFInterpolator

from torchstn.data import DISTORTIONS, Draws, load_mnist

INDICES = torch.arange(0, 4000, 62)
SEED, EPOCH = 5, 2
DRAWS = Draws(SEED, EPOCH, INDICES.numpy())

# float32 coordinates up to 42 pixels from the origin err by a few 1e-6 pixels, a step of full ink by as much
EXACT = 5e-5


@pytest.fixture(scope="module")
def digits():
    return load_mnist().train_images[INDICES]


def ours(name, digits):
    return DISTORTIONS[name](digits, INDICES, seed=SEED, epoch=EPOCH)[:, 0].numpy()


def in_unit(digits):
    return digits.numpy().astype(np.float64) / 255


def turned(degrees):
    """Turns (row, column), clockwise as one looks at the picture."""
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def test_r_against_scipy(digits):
    for picture, digit, degrees in zip(
        ours("R", digits), in_unit(digits), DRAWS.uniform("angle", 1, -90, 90)[:, 0], strict=True
    ):
        back = np.linalg.inv(turned(degrees))
        offset = 13.5 - back @ [13.5, 13.5]
        theirs = ndimage.affine_transform(digit, back, offset, order=1, mode="grid-constant")
        assert picture == pytest.approx(theirs, abs=EXACT)


def test_rts_against_scipy(digits):
    degrees = DRAWS.uniform("angle", 1, -45, 45)[:, 0]
    scale = DRAWS.uniform("scale", 1, 0.7, 1.2)[:, 0]
    place = DRAWS.uniform("place", 2, -1, 1)[:, ::-1]  # as (row, column)
    for n, picture in enumerate(ours("RTS", digits)):
        back = np.linalg.inv(scale[n] * turned(degrees[n]))
        centre = 20.5 + place[n] * (42 - 28 * scale[n]) / 2
        offset = 13.5 - back @ centre
        theirs = ndimage.affine_transform(
            in_unit(digits)[n], back, offset, (42, 42), order=1, mode="grid-constant"
        )
        assert picture == pytest.approx(theirs, abs=EXACT)


def test_rts_undone_against_scipy_and_skimage(digits):
    """From the pictures of RTS: the way back in pixels, of twice the size, then the means of blocks."""
    degrees = DRAWS.uniform("angle", 1, -45, 45)[:, 0]
    scale = DRAWS.uniform("scale", 1, 0.7, 1.2)[:, 0]
    place = DRAWS.uniform("place", 2, -1, 1)[:, ::-1]  # as (row, column)
    distorted = ours("RTS", digits)
    for n, picture in enumerate(ours("RTS-undone", digits)):
        there = scale[n] * turned(degrees[n]) * 25 / 41
        centre = 20.5 + place[n] * (42 - 28 * scale[n]) / 2
        offset = centre - there @ [20.5, 20.5]
        picture_of_rts = distorted[n].astype(np.float64)
        upright = ndimage.affine_transform(picture_of_rts, there, offset, order=1, mode="grid-constant")
        theirs = skimage.measure.block_reduce(upright, (2, 2), np.mean)
        assert picture == pytest.approx(theirs, abs=EXACT)


def test_rts_undone_shows_the_digit_as_it_was(digits):
    """But for sharpness."""
    middle = in_unit(digits)[:, 1:27, 1:27]
    seen = np.stack([skimage.transform.resize(digit, (21, 21), order=1) for digit in middle])
    undone = ours("RTS-undone", digits)
    likeness = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(undone, seen, strict=True)]
    assert min(likeness) > 0.9


def quads():
    """Corners of the digit's image on the canvas, in pixels, clockwise from top left."""
    return (DISTORTIONS["P"].corners(DRAWS) + 13.5).astype(np.float32)


SQUARE = np.array([[0, 0], [27, 0], [27, 27], [0, 27]], dtype=np.float32)


def test_p_against_scikit_image(digits):
    for picture, digit, quad in zip(ours("P", digits), in_unit(digits), quads(), strict=True):
        back = cv2.getPerspectiveTransform(quad, SQUARE)
        theirs = skimage.transform.warp(digit, back, order=1, mode="constant")
        assert picture == pytest.approx(theirs, abs=3e-4)


def test_p_against_opencv(digits):
    """OpenCV rounds coordinates to 1/32 pixel: off by 1/64 in x and y, at steps of at most full ink."""
    for picture, digit, quad in zip(ours("P", digits), in_unit(digits), quads(), strict=True):
        onto = cv2.getPerspectiveTransform(SQUARE, quad)
        theirs = cv2.warpPerspective(digit.astype(np.float32), onto, (28, 28), flags=cv2.INTER_LINEAR)
        assert picture == pytest.approx(theirs, abs=1 / 32 + EXACT)


def test_e_against_scipy(digits):
    scale = DRAWS.uniform("scale", 1, 0.75, 1.0)[:, 0]
    moves = DRAWS.normal("points", 32, 1.5).reshape(-1, 16, 2)[..., ::-1]  # as (row, column)
    lattice = np.array([(9.0 * i, 9.0 * j) for i in range(4) for j in range(4)])
    pixels = np.argwhere(np.ones((28, 28))).astype(np.float64)
    for n, picture in enumerate(ours("E", digits)):
        spline = RBFInterpolator(lattice, lattice + moves[n], kernel="thin_plate_spline")
        read_at = (spline(pixels) - 13.5) / scale[n] + 13.5
        theirs = ndimage.map_coordinates(in_unit(digits)[n], read_at.T, order=1, mode="grid-constant")
        assert picture == pytest.approx(theirs.reshape(28, 28), abs=EXACT)
