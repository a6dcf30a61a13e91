"""The film: one frame a moment, white as white and every grey of its own."""

from collections.abc import Iterator
from io import BytesIO

import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

import torchstn as stn
from torchstn.figures import paper_figure
from torchstn.figures.film import film_bytes


def _frames(count: int) -> Iterator[tuple[int, Figure]]:
    affine = stn.transform.Affine()
    image = torch.full((1, 1, 12, 12), 0.5)
    for k in range(count):
        # Each moment zooms in a little further, or equal frames would be merged.
        grid = affine(affine.identity()[None] * (1 - 0.2 * k), (12, 12))
        yield k, paper_figure(image, grid, image, [k], [0])


def test_each_moment_is_a_frame_and_the_last_one_stays() -> None:
    with Image.open(BytesIO(film_bytes(_frames(3), seconds=0.2))) as film:
        assert film.n_frames == 3
        durations = []
        for k in range(3):
            film.seek(k)
            durations.append(film.info["duration"])
            assert film.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
    assert durations == [200, 200, 1200]


def test_film_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="`frames` must hold at least one"):
        film_bytes([])
