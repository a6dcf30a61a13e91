"""Any picture file becomes pixels, or is refused by name."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import skimage.io
import torch
from numpy.typing import NDArray
from PIL import Image

from torchstn.data import picture_size, read_picture
from torchstn.data.pictures import MOST_PIXELS

COLOURS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
GREY = COLOURS[..., 0]
SMOOTH = (np.add.outer(np.arange(96), 2 * np.arange(128)) / 351 * 255).astype(np.uint8)


def _as_array(picture: torch.Tensor) -> NDArray[np.uint8]:
    return picture.permute(1, 2, 0).numpy()


def _saved(tmp_path: Path, picture: Image.Image, name: str, **options: object) -> Path:
    path = tmp_path / name
    picture.save(path, **options)
    return path


def _grey(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    return np.repeat(np.asarray(values, dtype=np.uint8)[..., None], 3, -1)


def _palette() -> Image.Image:
    picture = Image.fromarray((GREY > 99).astype(np.uint8)).convert("P")
    picture.putpalette([10, 20, 30, 255, 0, 7])
    return picture


PALETTE = np.where((GREY > 99)[..., None], (255, 0, 7), (10, 20, 30))
MODES: dict[str, tuple[Callable[[], Image.Image], NDArray[np.generic]]] = {
    "colour.png": (lambda: Image.fromarray(COLOURS), COLOURS),
    "colour.bmp": (lambda: Image.fromarray(COLOURS), COLOURS),
    "colour.webp": (lambda: Image.fromarray(COLOURS), COLOURS),
    "grey.png": (lambda: Image.fromarray(GREY), _grey(GREY)),
    "bit.png": (lambda: Image.fromarray(GREY > 99), _grey((GREY > 99) * 255)),
    "palette.png": (_palette, PALETTE),
    "palette.gif": (_palette, PALETTE),
    "wide.png": (lambda: Image.fromarray(GREY.astype(np.uint16) * 257), _grey(GREY)),
    "wide.tiff": (lambda: Image.fromarray(GREY.astype(np.uint16) * 257), _grey(GREY)),
    "float.tiff": (lambda: Image.fromarray(GREY.astype(np.float32) / 255), _grey(GREY)),
    "cmyk.tiff": (lambda: Image.fromarray(COLOURS).convert("CMYK"), COLOURS),
    "opaque.png": (lambda: Image.fromarray(COLOURS).convert("RGBA"), COLOURS),
}


@pytest.mark.parametrize("name", MODES)
def test_every_mode_gives_its_colours(name: str, tmp_path: Path) -> None:
    make, colours = MODES[name]
    path = _saved(tmp_path, make(), name, **({"lossless": True} if name.endswith("webp") else {}))
    picture = read_picture(path)
    assert picture.dtype == torch.uint8
    assert picture.shape == (3, *GREY.shape)
    np.testing.assert_array_equal(_as_array(picture), colours)
    assert picture_size(path) == GREY.shape


def test_what_is_transparent_is_white_and_what_half_is_half(tmp_path: Path) -> None:
    alpha = np.array([[0, 255, 128]], dtype=np.uint8)
    colours = np.dstack([np.full((1, 3, 3), 100, dtype=np.uint8), alpha])
    pixels = _as_array(read_picture(_saved(tmp_path, Image.fromarray(colours), "clear.png")))
    np.testing.assert_allclose(pixels[0, :, 0], [255, 100, 177], atol=1)
    palette = _palette()
    path = _saved(tmp_path, palette, "clear-palette.png", transparency=0)
    expected = np.where((GREY > 99)[..., None], (255, 0, 7), 255)
    np.testing.assert_array_equal(_as_array(read_picture(path)), expected)


def test_cmyk_jpeg_is_not_inverted(tmp_path: Path) -> None:
    picture = Image.fromarray(_grey(SMOOTH)).convert("CMYK")
    pixels = _as_array(read_picture(_saved(tmp_path, picture, "cmyk.jpg", quality=95)))
    np.testing.assert_allclose(pixels, _grey(SMOOTH), atol=6)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "tiff", "png", "webp"])
def test_orientation_tag_turns_the_picture(orientation: int, ending: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"tiff": {}, "png": {}}.get(ending, {"quality": 95})
    path = _saved(tmp_path, Image.fromarray(SMOOTH), f"turned.{ending}", exif=exif, **options)
    turned = {
        1: SMOOTH,
        2: SMOOTH[:, ::-1],
        3: SMOOTH[::-1, ::-1],
        4: SMOOTH[::-1],
        5: SMOOTH.T,
        6: np.rot90(SMOOTH, -1),
        7: SMOOTH[::-1, ::-1].T,
        8: np.rot90(SMOOTH),
    }[orientation]
    np.testing.assert_allclose(_as_array(read_picture(path)), _grey(turned), atol=8)
    assert picture_size(path) == turned.shape


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_orientation_tag_leaves_the_pixels(tmp_path: Path) -> None:
    path = _saved(tmp_path, Image.fromarray(SMOOTH), "tags.jpg", exif=b"Exif\0\0II*\0nonsense", quality=95)
    np.testing.assert_allclose(_as_array(read_picture(path)), _grey(SMOOTH), atol=8)
    assert picture_size(path) == SMOOTH.shape


def test_jpeg_agrees_with_another_reader(tmp_path: Path) -> None:
    path = _saved(
        tmp_path,
        Image.fromarray(np.dstack([SMOOTH, SMOOTH.T[:96, :96].repeat(2, 1)[:, :128], SMOOTH])),
        "p.jpg",
    )
    np.testing.assert_allclose(_as_array(read_picture(path)), skimage.io.imread(path), atol=2)


@pytest.mark.parametrize(
    ("least", "size"), [(None, (96, 128)), (96, (96, 128)), (48, (48, 64)), (20, (24, 32)), (1, (12, 16))]
)
def test_jpeg_is_decoded_no_smaller_than_asked(
    least: int | None, size: tuple[int, int], tmp_path: Path
) -> None:
    path = _saved(tmp_path, Image.fromarray(SMOOTH), "smooth.jpg", quality=95)
    small = _as_array(read_picture(path, least=least))
    assert small.shape == (*size, 3)
    expected = Image.fromarray(SMOOTH).resize(size[::-1], Image.Resampling.BOX)
    np.testing.assert_allclose(small[..., 0], expected, atol=6)


def test_first_frame_of_an_animation_is_read(tmp_path: Path) -> None:
    path = _saved(
        tmp_path, Image.fromarray(GREY), "a.gif", save_all=True, append_images=[Image.new("L", (7, 5), 90)]
    )
    np.testing.assert_array_equal(_as_array(read_picture(path)), _grey(GREY))


def test_picture_inside_a_zip_is_read_and_refused_by_its_name(tmp_path: Path) -> None:
    coded = io.BytesIO()
    Image.fromarray(COLOURS).save(coded, "png")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a/β.png", coded.getvalue())
        archive.writestr("a/text.png", "no picture")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        with archive.open("a/β.png") as file:
            np.testing.assert_array_equal(_as_array(read_picture(file)), COLOURS)
        with (
            archive.open("a/text.png") as file,
            pytest.raises(ValueError, match=r"^a/text\.png: not a picture"),
        ):
            read_picture(file)
        with archive.open("a/text.png") as file, pytest.raises(ValueError, match=r"^all\.zip, text: not a"):
            picture_size(file, name="all.zip, text")


def _png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def _header(w: int, h: int) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0)


REFUSED: dict[str, tuple[bytes, str]] = {
    "text.png": (b"not a picture at all", "not a picture in a format"),
    "empty.png": (b"", "not a picture in a format"),
    "bomb.png": (_png([_header(60_000, 60_000), (b"IEND", b"")]), "50 megapixels; scale it down first"),
    "warned.png": (_png([_header(10_000, 10_000), (b"IEND", b"")]), "50 megapixels; scale it down first"),
    "large.png": (_png([_header(8_000, 8_000), (b"IEND", b"")]), "8000 x 8000 is more than 50 megapixels"),
    "headless.png": (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "broken|not a picture"),
    "no-data.png": (_png([_header(20, 20), (b"IEND", b"")]), "is broken"),
    "damaged.png": (_png([_header(20, 20), (b"IDAT", b"nonsense"), (b"IEND", b"")]), "is broken"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_is_refused_by_name(name: str, tmp_path: Path) -> None:
    content, message = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as refusal:
        read_picture(path)
    assert str(refusal.value).startswith(f"{path}: ")


@pytest.mark.parametrize("read", [read_picture, picture_size])
def test_no_other_program_is_started_for_a_file(
    read: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _saved(tmp_path, Image.fromarray(COLOURS), "page.eps").rename(tmp_path / "page.png")
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("A program was started."))
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", "gs")
    with pytest.raises(ValueError, match=r"page\.png: not a picture in a format that is read"):
        read(path)


def test_truncated_jpeg_is_broken(tmp_path: Path) -> None:
    path = _saved(tmp_path, Image.effect_noise((200, 200), 90), "digit.jpg")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match="is broken"):
        read_picture(path)


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no such file"):
        read_picture(tmp_path / "nothing.png")
    with pytest.raises(ValueError, match="not a file"):
        read_picture(tmp_path)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::RuntimeWarning:PIL")
@pytest.mark.parametrize(
    "ending",
    [
        "png",
        "jpg",
        "gif",
        "bmp",
        "tiff",
        "webp",
        "ppm",
        "ico",
        "tga",
        "jp2",
        "avif",
        "sgi",
        "pcx",
        "dds",
        "qoi",
    ],
)
def test_a_damaged_file_is_read_or_refused_but_nothing_else(ending: str, tmp_path: Path) -> None:
    whole = _saved(
        tmp_path, Image.fromarray(COLOURS.repeat(4, 0).repeat(4, 1)), f"whole.{ending}"
    ).read_bytes()
    path, draws = tmp_path / f"damaged.{ending}", np.random.default_rng(0)
    for _ in range(60):
        damaged = np.frombuffer(whole, dtype=np.uint8).copy()
        damaged[draws.integers(0, len(damaged), 6)] = draws.integers(0, 256, 6)
        path.write_bytes(damaged.tobytes()[: draws.integers(8, 2 * len(damaged))])
        with suppress(ValueError):
            assert read_picture(path).ndim == 3


def test_limit_is_below_what_pillow_itself_warns_of() -> None:
    assert Image.MAX_IMAGE_PIXELS is not None
    assert MOST_PIXELS < Image.MAX_IMAGE_PIXELS
