"""Augmentation of a user's own pictures: PyTorch's warp, the mean colour beside them, another light."""

import numpy as np
import torch
from torch.nn import functional as F

from torchstn.data import Draws
from torchstn.recipes.images.augment import augment
from torchstn.recipes.images.data import FILL


def test_no_augmentation_changes_nothing_and_mirroring_mirrors() -> None:
    pictures = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8)
    draws = Draws(0, 0, np.arange(40))
    assert torch.equal(augment(pictures, draws, "none", mirror=False, fill=FILL), pictures)
    mirrored = augment(pictures, draws, "none", mirror=True, fill=FILL)
    kinds = [
        (torch.equal(new, old), torch.equal(new, old.flip(2)))
        for new, old in zip(mirrored, pictures, strict=True)
    ]
    assert set(kinds) == {(True, False), (False, True)}
    strong = augment(pictures, draws, "strong", mirror=False, fill=FILL)
    assert not any(torch.equal(new, old) for new, old in zip(strong, pictures, strict=True))


def test_strong_augmentation_is_torchs_warp_filled_with_the_colour_and_then_lit() -> None:
    count, side, fill = 40, 24, (10, 200, 90)
    smooth = F.interpolate(torch.rand(count, 3, 4, 4), side, mode="bicubic").clamp(0, 1)
    pictures = (255 * smooth).to(torch.uint8)
    draws = Draws(1, 2, np.arange(count))
    zoom = 1.4 ** draws.uniform("zoom", 1, -1, 1)[:, 0]
    angle = np.radians(draws.uniform("turn", 1, -25, 25)[:, 0])
    flip = np.where(draws.uniform("mirror", 1)[:, 0] < 0.5, -1.0, 1.0)
    x, y = draws.uniform("shift", 2, -0.2, 0.2).T
    turned = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], 1).reshape(-1, 2, 2)
    turned = turned * zoom[:, None, None] * np.stack([flip, np.ones(count)], 1)[:, None]
    matrix = torch.from_numpy(np.concatenate([turned, np.stack([x, y], 1)[..., None]], 2)).float()
    colour = torch.tensor(fill).view(1, 3, 1, 1)
    points = F.affine_grid(matrix, list(pictures.shape), align_corners=False)
    warped = F.grid_sample(pictures.float() - colour, points, align_corners=False) + colour
    gain = torch.from_numpy(1 + draws.uniform("contrast", 1, -0.4, 0.4)).view(-1, 1, 1, 1)
    offset = torch.from_numpy(255 * draws.uniform("brightness", 1, -0.2, 0.2)).view(-1, 1, 1, 1)
    expected = ((warped - 127.5) * gain + 127.5 + offset).clamp(0, 255)
    found = augment(pictures, draws, "strong", mirror=True, fill=fill)
    # Rounded after the warp, times a gain of 1.4 at most, and rounded again.
    assert (found.double() - expected).abs().max() <= 0.5 * 1.4 + 0.5 + 1e-2
