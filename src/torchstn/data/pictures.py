"""One picture file -> its pixels, whatever it is; what is none is refused by name."""

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from torch import Tensor

Source: TypeAlias = Path | BinaryIO

MOST_PIXELS = 50_000_000
"""Of one picture. A file of a few kilobytes can claim more than the memory holds."""
# Not all that Pillow opens: an EPS, whatever its name, it would hand to Ghostscript, another program.
# TGA has no mark of its own in the file, so it is tried last.
_FORMATS = (
    *("PNG", "JPEG", "TIFF", "WEBP", "AVIF", "JPEG2000", "GIF", "BMP", "DIB", "PPM", "ICO", "ICNS"),
    *("FITS", "PSD", "DDS", "QOI", "SGI", "SUN", "PCX", "XBM", "XPM", "TGA"),
)
_WIDE = ("I", "F")
_CLEAR = ("RGBA", "LA", "PA", "La", "RGBa")
# What Pillow lets through of broken files of the formats it reads, found by damaging some of each.
_BROKEN = (
    OSError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RuntimeError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    MemoryError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def read_picture(source: Source, *, name: str | None = None, least: int | None = None) -> Tensor:
    """Reads any picture file in colour.

    Orientation tags, palettes, transparency, 16 and 32 bits, CMYK and every other mode Pillow knows are
    honoured; of an animation the first frame is read. What is transparent is white.

    Args:
        source: The file, or an open one, as of a zip.
        name: What to call it in a refusal; default, its path, or the open file's name.
        least: If given, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, which takes a fraction of
            the time, so long as no side of it gets shorter than this.

    Returns:
        (3, h, w) uint8, its channels next to each other in memory.

    Raises:
        ValueError: If the file is no picture, broken, or too large; the message names it.
    """
    pixels = np.array(flatten(open_picture(source, name=name, least=least)))
    return torch.from_numpy(pixels).permute(2, 0, 1)


def open_picture(source: Source, *, name: str | None = None, least: int | None = None) -> Image.Image:
    """Decodes a picture in its own mode and turns it upright; arguments and refusals as `read_picture`."""
    return open_sized(source, name=name, least=None if least is None else lambda size: least)[0]


def open_sized(
    source: Source, *, name: str | None = None, least: Callable[[tuple[int, int]], float] | None = None
) -> tuple[Image.Image, tuple[int, int]]:
    """As `open_picture`, with the size (h, w) of the whole picture, which may be decoded smaller.

    Args:
        source: As of `read_picture`.
        name: As of `read_picture`.
        least: Tells from the whole size, which may still lie on its side, how short a side may get.
    """
    called = _called(source, name)
    try:
        with _opened(source) as picture:
            _check_extent(called, picture.size)
            w, h = picture.size
            if least is not None:
                side = max(1, int(least((h, w))))
                picture.draft(None, (side, side))
            smaller = picture.size != (w, h)
            on_its_side = smaller and _lies_on_its_side(picture)
            picture.seek(0)
            picture.load()
            _turn_upright(picture)
            if not smaller:
                w, h = picture.size
            return picture, (w, h) if on_its_side else (h, w)
    except _BROKEN as refusal:
        raise _refusal(called, refusal) from None


def picture_size(source: Source, *, name: str | None = None) -> tuple[int, int]:
    """The size (h, w) of a picture when upright, undecoded where that can be; refusals as `read_picture`."""
    called = _called(source, name)
    try:
        with _opened(source) as picture:
            _check_extent(called, picture.size)
            w, h = picture.size
            return (w, h) if _lies_on_its_side(picture) else (h, w)
    except _BROKEN as refusal:
        raise _refusal(called, refusal) from None


def has_transparency(picture: Image.Image) -> bool:
    """Whether a picture has transparent pixels, or might."""
    return picture.mode in _CLEAR or "transparency" in picture.info


def wide_levels(picture: Image.Image) -> NDArray[np.float32] | None:
    """The grey levels (h, w) in [0, 1] of a picture of 16 or 32 bits or floats; None of any other.

    They have no agreed white: it is the first of 1, 255, 65535 that is high enough, else the highest value.
    """
    if picture.mode not in _WIDE and not picture.mode.startswith("I;"):
        return None
    values = np.nan_to_num(np.asarray(picture, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    highest = float(values.max())
    white = next((top for top in (1.0, 255.0, 65535.0) if highest <= top), highest)
    return (values / white).clip(0, 1).astype(np.float32)


def flatten(picture: Image.Image) -> Image.Image:
    """Any picture as RGB of 8 bits, what is transparent as white."""
    levels = wide_levels(picture)
    if levels is not None:
        return Image.fromarray((levels * 255).round().astype(np.uint8)).convert("RGB")
    if not has_transparency(picture):
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    colours = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours).convert("RGB")


@contextmanager
def _opened(source: Source) -> Iterator[Image.Image]:
    with _file(source) as file, Image.open(file, formats=_formats()) as picture:
        yield picture


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _file(source: Source) -> AbstractContextManager[BinaryIO]:
    # Named paths Pillow maps into memory, which garbles TIFFs that carry an orientation (13.0).
    return Path(source).open("rb") if isinstance(source, (str, os.PathLike)) else nullcontext(source)


def _called(source: Source, name: str | None) -> str:
    if name is not None:
        return name
    if not isinstance(source, (str, os.PathLike)):
        return str(getattr(source, "name", "the picture"))
    path = Path(source)
    if not path.exists():
        raise ValueError(f"{path}: there is no such file.")
    if not path.is_file():
        raise ValueError(f"{path}: this is not a file.")
    return str(path)


def _check_extent(called: str, size: tuple[int, int]) -> None:
    w, h = size
    if w * h > MOST_PIXELS:
        raise _RefusedError(
            f"{called}: {w} x {h} is more than {MOST_PIXELS // 10**6} megapixels; scale it down first."
        )
    if w * h == 0:
        raise _RefusedError(f"{called}: the picture has no pixels.")


class _RefusedError(ValueError):
    """Already says everything."""


def _refusal(called: str, refusal: Exception) -> ValueError:
    match refusal:
        case _RefusedError():
            return ValueError(str(refusal))
        case Image.DecompressionBombError() | Image.DecompressionBombWarning():
            return ValueError(f"{called}: more than {MOST_PIXELS // 10**6} megapixels; scale it down first.")
        case UnidentifiedImageError():
            return ValueError(
                f"{called}: not a picture in a format that is read (PNG, JPEG, TIFF, WebP ...)."
            )
    why = str(refusal).rstrip(".") or type(refusal).__name__
    return ValueError(f"{called}: the picture is broken ({why}).")


def _turn_upright(picture: Image.Image) -> None:
    # The tags may be broken where the pixels are not. TIFFs Pillow turns by itself, their tag stays.
    with suppress(*_BROKEN):
        if picture.format != "TIFF":
            ImageOps.exif_transpose(picture, in_place=True)


def _lies_on_its_side(picture: Image.Image) -> bool:
    try:
        return picture.format != "TIFF" and picture.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8)
    except _BROKEN:
        return False
