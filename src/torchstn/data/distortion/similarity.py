"""R and RTS: the digit turned, and in RTS also scaled and put somewhere on a larger canvas."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...sampler import sample
from ...transform import Affine
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
        angle = np.radians(batch.draws.uniform("angle", 1, -self.degrees, self.degrees))
        scale = batch.draws.uniform("scale", 1, self.smallest, self.largest)
        room = (np.array(self.size[::-1]) - DIGIT * scale) / 2  # (b, 2) as (x, y)
        return _place(
            batch.digits, angle, scale, batch.draws.uniform("place", 2, -1.0, 1.0) * room, self.size
        )


def _place(digits: Tensor, angle: Reals, scale: Reals, centre: Reals, size: tuple[int, int]) -> Tensor:
    """Draws each digit turned by `angle` (b, 1) and scaled, `centre` (b, 2) pixels off the middle."""
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    to_digit = np.concatenate((cosine, sine, -sine, cosine), axis=1).reshape(-1, 2, 2)  # pixels to pixels
    shift = -(to_digit * centre[:, None, :]).sum(axis=2, keepdims=True)
    digit = half((DIGIT, DIGIT))[:, None]
    theta = np.concatenate((to_digit * half(size) / digit, shift / digit), axis=2).reshape(-1, 6)
    return sample(digits, Affine()(torch.from_numpy(theta).float(), size, align_corners=True))
