"""Any picture file becomes the canvas, or is refused by name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from torchstn.cli.images import read_digit, read_grey

SIZE = (42, 42)
INK = np.zeros((60, 90), dtype=np.uint8)
INK[10:50, 40:46] = 255  # an upright stroke, off centre


def _saved(tmp_path: Path, picture: Image.Image, name: str = "digit.png", **options: object) -> Path:
    path = tmp_path / name
    picture.save(path, **options)
    return path


def _grey() -> Image.Image:
    return Image.fromarray(INK)


def _palette() -> Image.Image:
    picture = Image.fromarray((INK > 0).astype(np.uint8), mode=None).convert("P")
    picture.putpalette([0, 0, 0, 255, 255, 255])
    return picture


def _sixteen_bits() -> Image.Image:
    return Image.fromarray(INK.astype(np.uint16) * 257)


def _transparent(ink: int) -> Image.Image:
    alpha = Image.fromarray(INK)
    solid = Image.new("L", alpha.size, ink)
    return Image.merge("LA", (solid, alpha))


def _floats() -> Image.Image:
    return Image.fromarray(INK.astype(np.float32) / 255)


MODES: dict[str, tuple[Callable[[], Image.Image], str]] = {
    "grey": (_grey, "png"),
    "one bit": (lambda: _grey().convert("1"), "png"),
    "colour": (lambda: _grey().convert("RGB"), "png"),
    "palette": (_palette, "png"),
    "gif": (_palette, "gif"),
    "sixteen bits": (_sixteen_bits, "png"),
    "sixteen bits in tiff": (_sixteen_bits, "tiff"),
    "floats": (_floats, "tiff"),
    "cmyk": (lambda: _grey().convert("RGB").convert("CMYK"), "tiff"),
    "white ink on nothing": (lambda: _transparent(255), "png"),
    "black ink on nothing": (lambda: _transparent(0), "png"),
    "black on white": (lambda: Image.fromarray(255 - INK), "png"),
    "bmp": (_grey, "bmp"),
    "webp": (lambda: _grey().convert("RGB"), "webp"),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_gives_the_same_stroke(mode: str, tmp_path: Path) -> None:
    make, ending = MODES[mode]
    options = {"lossless": True} if ending == "webp" else {}
    canvas = read_digit(_saved(tmp_path, make(), f"digit.{ending}", **options), SIZE)
    expected = read_digit(_saved(tmp_path, _grey(), "expected.png"), SIZE)
    assert canvas.shape == (1, *SIZE)
    assert canvas.dtype == torch.float32
    torch.testing.assert_close(canvas, expected, rtol=0, atol=0.02)


def test_cmyk_jpeg_is_not_inverted(tmp_path: Path) -> None:
    path = _saved(tmp_path, _grey().convert("RGB").convert("CMYK"), "digit.jpg", quality=95)
    assert read_grey(path)[30, 43] > 0.9
    assert read_grey(path)[30, 5] < 0.1


def test_grey_ink_on_greyish_paper_becomes_white_on_black(tmp_path: Path) -> None:
    paper = Image.fromarray((230 - INK * (150 / 255)).astype(np.uint8))
    canvas = read_digit(_saved(tmp_path, paper), SIZE)
    expected = read_digit(_saved(tmp_path, _grey(), "expected.png"), SIZE)
    torch.testing.assert_close(canvas, expected, rtol=0, atol=0.02)


def test_stroke_is_twenty_pixels_high_and_centred_by_its_mass(tmp_path: Path) -> None:
    canvas = read_digit(_saved(tmp_path, _grey()), SIZE)[0]
    rows, columns = torch.nonzero(canvas > 0.5, as_tuple=True)
    assert rows.max() - rows.min() + 1 == 20
    assert abs(float(rows.float().mean()) - 20.5) <= 0.5
    assert abs(float(columns.float().mean()) - 20.5) <= 0.5


def test_picture_of_the_canvas_size_passes_through_bit_for_bit(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 100, SIZE, dtype=np.uint8)
    canvas = read_digit(_saved(tmp_path, Image.fromarray(values)), SIZE)
    assert torch.equal(canvas[0], torch.from_numpy(values).float() / 255)


def test_whole_picture_is_scaled_to_fit_and_not_cropped(tmp_path: Path) -> None:
    canvas = read_digit(_saved(tmp_path, _grey()), SIZE, whole=True)[0]
    # 60 x 90 becomes 28 x 42 in the middle of 42 x 42; the stroke keeps its place.
    rows, columns = torch.nonzero(canvas > 0.5, as_tuple=True)
    assert (int(rows.min()), int(rows.max())) == (7 + 5, 7 + 22)
    assert (int(columns.min()), int(columns.max())) == (19, 20)


@pytest.mark.parametrize(("invert", "ink"), [(True, 1 - 0.9), (False, 0.9)])
def test_invert_overrules_the_border(invert: bool, ink: float, tmp_path: Path) -> None:
    picture = Image.new("L", SIZE[::-1], 204)
    picture.putpixel((3, 5), round(0.9 * 255))
    canvas = read_digit(_saved(tmp_path, picture), SIZE, invert=invert)
    assert float(canvas[0, 5, 3]) == pytest.approx(ink, abs=0.005)


def test_orientation_tag_turns_the_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    path = _saved(tmp_path, _grey(), "digit.jpg", exif=exif, quality=95)
    np.testing.assert_allclose(read_grey(path), np.rot90(INK, -1) / 255, atol=0.2)


def test_picture_of_one_shade_shows_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="of one shade"):
        read_digit(_saved(tmp_path, Image.new("L", (30, 50), 7)), SIZE)


def test_a_tiny_and_a_thin_digit_are_read(tmp_path: Path) -> None:
    thin = Image.new("L", (3, 400))
    ImageDraw.Draw(thin).line((1, 20, 1, 380), fill=255)
    assert float(read_digit(_saved(tmp_path, thin, "thin.png"), SIZE).sum()) > 0
    dot = Image.new("L", (9, 9))
    dot.putpixel((4, 4), 255)
    assert float(read_digit(_saved(tmp_path, dot, "dot.png"), SIZE).max()) > 0.9
