"""R and RTS: the digit turned, and in RTS also scaled and put somewhere on a larger canvas."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...grid import MatrixGrid
from ...localisation.average_pool import average_pool
from ...sampler import sample
from .base import DIGIT, Batch, Distortion, Reals, half


@dataclass(frozen=True)
class Rotation(Distortion):
    """R: turns the digit about the centre of its image by an angle uniform in [-degrees, degrees].

    The paper states no canvas; it is read as the digit's own. Positive angles turn clockwise as one looks.
    """

    degrees: float = 90.0

    def _distort(self, batch: Batch) -> Tensor:
        angle = np.radians(batch.draws.uniform("angle", 1, -self.degrees, self.degrees))
        return _place(batch.digits, angle, np.ones_like(angle), np.zeros((len(angle), 2)), self.size)


@dataclass(frozen=True)
class RotationScaleTranslation(Distortion):
    """RTS: turns the digit, scales it and puts it at a random place of the canvas.

    "Random place" is read so: the image of the digit, a square of 28 times the scale pixels before it turns,
    lies anywhere fully inside the canvas, its centre uniform over all places where it fits; the digit turns
    about that centre. (Turned, the corners of that square may leave the canvas, and at the largest scale it
    could not be kept inside at all; but they are blank.)
    """

    size: tuple[int, int] = (42, 42)
    degrees: float = 45.0
    smallest: float = 0.7
    largest: float = 1.2

    def _distort(self, batch: Batch) -> Tensor:
        return _place(batch.digits, *self.pose(batch), self.size)

    def pose(self, batch: Batch) -> tuple[Reals, Reals, Reals]:
        """How each digit lies: radians (b, 1), scale (b, 1), pixels (x, y) off the canvas's middle (b, 2)."""
        angle = np.radians(batch.draws.uniform("angle", 1, -self.degrees, self.degrees))
        scale = batch.draws.uniform("scale", 1, self.smallest, self.largest)
        room = (np.array(self.size[::-1]) - DIGIT * scale) / 2  # (b, 2) as (x, y)
        return angle, scale, batch.draws.uniform("place", 2, -1.0, 1.0) * room


@dataclass(frozen=True)
class Undone(Distortion):
    """What a transformer that knew each digit's pose would pass on: RTS, turned back by its own numbers.

    The digit stands upright in the middle and always as large, on as many pixels as the paper's networks see
    behind a transformer: those of the canvas, averaged down by two. It is as sharp as RTS left it.
    """

    size: tuple[int, int] = (21, 21)
    distorted: RotationScaleTranslation = RotationScaleTranslation()
    seen: int = 26
    """Pixels of the digit's 28, in its middle: the outermost are blank."""

    def _distort(self, batch: Batch) -> Tensor:
        angle, scale, centre = self.distorted.pose(batch)
        canvas = half(self.distorted.size)
        reach = scale * (self.seen - 1) / 2  # in pixels of the canvas, from the middle to the corner pixel
        turn = np.concatenate((np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)), axis=1)
        linear = turn.reshape(-1, 2, 2) * reach[:, :, None] / canvas[:, None]
        matrix = np.concatenate((linear, (centre / canvas)[:, :, None]), axis=2)
        size = (2 * self.size[0], 2 * self.size[1])
        return average_pool(sample(self.distorted._distort(batch), _grid(matrix, size)), 2)


def _place(digits: Tensor, angle: Reals, scale: Reals, centre: Reals, size: tuple[int, int]) -> Tensor:
    """Draws each digit turned by `angle` (b, 1) and scaled, `centre` (b, 2) pixels off the middle."""
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    to_digit = np.concatenate((cosine, sine, -sine, cosine), axis=1).reshape(-1, 2, 2)  # pixels to pixels
    shift = -(to_digit * centre[:, None, :]).sum(axis=2, keepdims=True)
    digit = half((DIGIT, DIGIT))[:, None]
    matrix = np.concatenate((to_digit * half(size) / digit, shift / digit), axis=2)
    return sample(digits, _grid(matrix, size))


def _grid(matrix: Reals, size: tuple[int, int]) -> MatrixGrid:
    return MatrixGrid(torch.from_numpy(matrix).float(), size=size, align_corners=True)
