"""The points that tests read at lie where they say."""

import pytest
import torch
from support.points import every_pixel, random_pixels, random_points, to_normalised
from torch.nn import functional as F


@pytest.mark.parametrize("align_corners", [False, True], ids=["edges", "centres"])
def test_every_pixel_normalised_is_the_identity_of_torch(align_corners: bool) -> None:
    size = (3, 5)  # unequal: the other order of the axes would read elsewhere
    theta = torch.eye(2, 3, dtype=torch.float64).unsqueeze(0)
    expected = F.affine_grid(theta, [1, 1, *size], align_corners=align_corners)
    torch.testing.assert_close(to_normalised(every_pixel(size), size, align_corners), expected)


def test_an_axis_of_one_pixel_has_only_its_centre() -> None:
    pixels = torch.tensor([[0.0, 1.0]])
    assert to_normalised(pixels, (3, 1), True).tolist() == [[0.0, 0.0]]


def test_random_pixels_keep_away_from_lines_and_half_lines() -> None:
    pixels = random_pixels(2, (50, 60), (4, 7))
    assert pixels.shape == (2, 50, 60, 2)
    assert float((2 * pixels - (2 * pixels).round()).abs().min()) >= 0.0999
    low, high = pixels.flatten(0, 2).amin(0), pixels.flatten(0, 2).amax(0)
    assert low.max() < -2.2
    assert (high > torch.tensor([8.2, 5.2])).all()
    assert random_points(1, (3,), (4,), False).dtype == torch.float64
