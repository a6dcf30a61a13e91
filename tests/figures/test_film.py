"""The film: one frame a moment, white as white and every grey of its own."""

from io import BytesIO

import pytest
import torch
from PIL import Image

import torchstn as stn
from torchstn.figures.film import Moment, film_bytes


def _moments(count: int) -> list[Moment]:
    affine = stn.transform.Affine()
    # Each moment zooms in a little further, or equal frames would be merged.
    zooms = [affine.identity()[None] * (1 - 0.2 * k) for k in range(count)]
    return [
        Moment(k, affine(zoom, (12, 12)), torch.full((1, 1, 12, 12), 0.5), [k])
        for k, zoom in enumerate(zooms)
    ]


def test_each_moment_is_a_frame_and_the_last_one_stays() -> None:
    with Image.open(BytesIO(film_bytes(torch.rand(1, 1, 12, 12), [0], _moments(3), seconds=0.2))) as film:
        assert film.n_frames == 3
        durations = []
        for k in range(3):
            film.seek(k)
            durations.append(film.info["duration"])
            assert film.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
    assert durations == [200, 200, 1200]


def test_film_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="`moments` must hold at least one"):
        film_bytes(torch.rand(1, 1, 12, 12), [0], [])
