"""P: the digit scaled, and each corner of its image moved."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...sampler import sample
from ...transform import Projective
from ..random import Draws
from .base import DIGIT, Batch, Distortion, Reals, half

_CORNERS = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])  # (x, y), clockwise from top left
_LEAST_TURN = 1.0  # of a corner, in square pixels: where it is nearly straight, the homography degenerates
_MOST_TRIES = 64


@dataclass(frozen=True)
class Perspective(Distortion):
    """P: scales the digit about its centre, moves each corner of its image, and draws it by the homography.

    The corners are the centres of the image's corner pixels, 13.5 times the scale from the middle; x and y of
    each move independently, by normal numbers of mean zero. The paper's "5 pixels" is read as their variance,
    in square pixels. Read as the standard deviation, 15 in 100 pictures keep less than two fifths of their
    ink, squeezed or moved off the canvas, and fcn errs nearly seven times as often as the paper's does.

    Where the moves leave no convex quadrilateral, which is no view of a square, they are drawn again, at the
    same scale, until they do: hardly ever with this deviation, twice in 100 with 5 pixels. The paper states
    no canvas; it is read as the digit's own.
    """

    smallest: float = 0.75
    largest: float = 1.0
    deviation: float = math.sqrt(5)
    """Standard deviation of a corner's move in x and in y, in pixels."""

    def _distort(self, batch: Batch) -> Tensor:
        theta = torch.from_numpy(homography(self.corners(batch.draws) / half(self.size), _CORNERS)).float()
        return sample(batch.digits, Projective()(theta, self.size, align_corners=True))

    def corners(self, draws: Draws) -> Reals:
        """Where the corners of each digit's image go, in pixels from the middle of the canvas.

        Returns:
            float64 (b, 4, 2), each (x, y), clockwise from top left.

        Raises:
            ValueError: If the deviation is so large that convex quadrilaterals hardly occur.
        """
        scale = draws.uniform("scale", 1, self.smallest, self.largest)[:, :, None]
        scaled = scale * half((DIGIT, DIGIT)) * _CORNERS
        quads = scaled.copy()
        open_places = np.arange(len(quads))
        for attempt in range(_MOST_TRIES):
            again = Draws(draws.seed, draws.epoch, draws.indices[open_places])
            moves = again.normal(f"corners {attempt}", 8, self.deviation).reshape(-1, 4, 2)
            quads[open_places] = scaled[open_places] + moves
            open_places = open_places[~_is_convex(quads[open_places])]
            if len(open_places) == 0:
                return quads
        raise ValueError(f"`deviation` must leave convex quadrilaterals likely, got {self.deviation} pixels.")


def _is_convex(quads: Reals) -> NDArray[np.bool_]:
    """Whether one turns right at every corner on the way round, and clearly so."""
    edges = np.roll(quads, -1, axis=1) - quads
    onward = np.roll(edges, -1, axis=1)
    turns = edges[..., 0] * onward[..., 1] - edges[..., 1] * onward[..., 0]
    return np.asarray((turns > _LEAST_TURN).all(axis=1))


def homography(source: Reals, target: Reals) -> Reals:
    """The homographies that take four points to four points.

    Args:
        source: float64 (b, 4, 2), no three of one four on a line.
        target: float64 (4, 2), the same for all.

    Returns:
        float64 (b, 8), row by row, the ninth number being 1.
    """
    x, y = source[..., 0], source[..., 1]
    u, v = (np.broadcast_to(column, x.shape) for column in target.T)
    one, zero = np.ones_like(x), np.zeros_like(x)
    for_u = np.stack((x, y, one, zero, zero, zero, -u * x, -u * y), axis=2)
    for_v = np.stack((zero, zero, zero, x, y, one, -v * x, -v * y), axis=2)
    system = np.concatenate((for_u, for_v), axis=1)
    values = np.concatenate((u, v), axis=1)[..., None]
    solved: Reals = np.linalg.solve(system, values)[..., 0]
    return solved
