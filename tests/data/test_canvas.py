"""Pictures in squares, and the way back."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from torchstn.data.canvas import FITS, frame_of, read_canvas

FILL = (9, 99, 199)


def _picture(h: int, w: int) -> Image.Image:
    """Smooth, so that one resampling is as good as another, and different in every direction."""
    y, x = np.mgrid[0:h, 0:w] / (max(h, w) - 1)
    return Image.fromarray((np.dstack([x, y, (x + y) / 2]) * 255).astype(np.uint8))


@pytest.mark.parametrize("ending", ["png", "jpg"])
@pytest.mark.parametrize("size", [(240, 400), (401, 97), (64, 64), (20, 30)])
def test_squares_are_those_of_pillow(size: tuple[int, int], ending: str, tmp_path: Path) -> None:
    path, picture, side = tmp_path / f"p.{ending}", _picture(*size), 64
    most = {"png": 1, "jpg": 6}[ending]  # JPEG itself changes values; worst seen 4, and 0 of PNG
    picture.save(path, **({"quality": 98} if ending == "jpg" else {}))
    whole, _ = read_canvas(path, side, fit="whole", fill=FILL)
    expected = ImageOps.pad(picture, (side, side), Image.Resampling.BILINEAR, color=FILL)
    difference = np.abs(whole.permute(1, 2, 0).numpy().astype(int) - np.asarray(expected))
    # A row or column at the picture's edge may go to either side of it; nothing else differs.
    assert np.median(difference) <= 1
    assert (difference.max(-1) > 6).sum() <= side
    crop, _ = read_canvas(path, side, fit="crop", fill=FILL)
    expected = ImageOps.fit(picture, (side, side), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(crop.permute(1, 2, 0).numpy().astype(int), np.asarray(expected), atol=most)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(200, 400), (400, 120), (100, 100)])
def test_a_place_of_the_square_is_told_in_pixels_of_the_picture(
    size: tuple[int, int], fit: str, tmp_path: Path
) -> None:
    h, w = size
    pixels = np.zeros((h, w), dtype=np.uint8)
    y0, x0, y1, x1 = h // 2 - 20, w // 2 - 30, h // 2 + 30, w // 2 + 10
    pixels[y0:y1, x0:x1] = 255
    Image.fromarray(pixels).save(tmp_path / "p.png")
    square, frame = read_canvas(tmp_path / "p.png", 80, fit=fit, fill=(0, 0, 0))
    rows, columns = (square[0] > 127).any(1).nonzero().flatten(), (square[0] > 127).any(0).nonzero().flatten()
    box = torch.tensor([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]).float()
    expected = torch.tensor([x0, y0, x1, y1]).float()
    torch.testing.assert_close(frame.to_image(box), expected, rtol=0, atol=1 / frame.scale)
    inside = frame.to_image(torch.tensor([-999.0, -999, 999, 999]))
    assert inside.tolist() == [0, 0, w, h]


def test_frame_turns_with_the_orientation_tag(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    _picture(120, 300).save(tmp_path / "p.jpg", exif=exif)
    square, frame = read_canvas(tmp_path / "p.jpg", 64, fill=FILL)
    assert frame == frame_of((300, 120), 64)
    # Upright it is narrow: filled at the left and at the right.
    assert square[:, 32, 2].tolist() == list(FILL)
    assert square[:, 2, 32].tolist() != list(FILL)


@pytest.mark.parametrize("turned", [False, True])
def test_at_a_scale_of_one_the_middle_is_cut_out_and_the_whole_is_put_in_the_middle_to_the_bit(
    turned: bool, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 90, 3), dtype=np.uint8)
    picture = pixels.transpose(1, 0, 2) if turned else pixels
    Image.fromarray(picture).save(tmp_path / "p.png")
    crop, frame = read_canvas(tmp_path / "p.png", 64, fit="crop", fill=(1, 2, 3))
    assert (frame.scale, frame.left, frame.top) == ((1, 0, -13) if turned else (1, -13, 0))
    expected = picture[13:77] if turned else picture[:, 13:77]
    np.testing.assert_array_equal(crop.permute(1, 2, 0), expected)
    whole, _ = read_canvas(tmp_path / "p.png", 90, fit="whole", fill=(1, 2, 3))
    inside = whole[:, :, 13:77] if turned else whole[:, 13:77]
    np.testing.assert_array_equal(inside.permute(1, 2, 0), picture)
    axis = 2 if turned else 1
    beside = torch.cat([whole.narrow(axis, 0, 13), whole.narrow(axis, 77, 13)], axis)
    assert beside.flatten(1).unique(dim=1).flatten().tolist() == [1, 2, 3]
