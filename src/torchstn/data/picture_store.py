"""Pictures decoded and resized once, in one file that is mapped into memory."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..training import atomic_write
from .archives import Entries
from .mnist_files import get_data_dir
from .pictures import flatten, open_picture

_VERSION = 1
_PIXELS, _INDEX = "pixels", "index.json"

Progress = Callable[[int, int], None]
"""Called as progress(pictures so far, pictures in all)."""


class PictureStore(Sequence[Tensor]):
    """Pictures of different sizes, each (h, w, 3) uint8, read from the disk as they are asked for.

    Args:
        folder: What `prepare_pictures` made.

    Attributes:
        sha256: Of the names and the bytes of the files they were made of.
    """

    def __init__(self, folder: Path) -> None:
        index: dict[str, Any] = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        self.sha256: str = index["sha256"]
        self.sizes: list[tuple[int, int]] = [(h, w) for h, w in index["sizes"]]
        self._starts = np.cumsum([0, *(3 * h * w for h, w in self.sizes)])
        self._pixels = np.memmap(folder / _PIXELS, dtype=np.uint8, mode="c", shape=(int(self._starts[-1]),))

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, place: Any) -> Any:
        """One picture; a view of the file, not to be written to."""
        height, width = self.sizes[place]
        start = int(self._starts[:-1][place])
        return torch.from_numpy(self._pixels[start : start + 3 * height * width]).view(height, width, 3)


def prepare_pictures(
    name: str, source: Path, files: Sequence[str], side: int, progress: Progress | None = None
) -> PictureStore:
    """Decodes pictures and resizes each so that its smaller side is `side` pixels, once and for all.

    The store lies in `prepared` below `get_data_dir()`, under a name that changes with whatever it is made
    of. Its size is 3 bytes a pixel: 0.8 GB for 3,000 photographs at 256 pixels.

    Args:
        name: What its folder is called, in part.
        source: A folder or zip.
        files: Names of pictures in it.
        side: In pixels.
        progress: Told how far it is.

    Raises:
        ValueError: If a file is missing or no picture; it is named.
        OSError: If there is no room.
    """
    key = hashlib.sha256(json.dumps([_VERSION, side, *_stamps(source, files)]).encode()).hexdigest()
    folder = get_data_dir() / "prepared" / f"{name}-{side}-{key[:16]}"
    if not (folder / _INDEX).exists():
        _prepare(folder, source, files, side, progress)
    return PictureStore(folder)


def _stamps(source: Path, files: Sequence[str]) -> Iterator[Any]:
    """What changes when the pictures do: names, lengths and times."""
    yield str(source.resolve())
    if source.is_dir():
        for name in files:
            path = source / name
            found = path.stat() if path.is_file() else None
            yield (name, found and found.st_size, found and found.st_mtime_ns)
    else:
        yield from (source.stat().st_size, source.stat().st_mtime_ns, *files)


def _prepare(folder: Path, source: Path, files: Sequence[str], side: int, progress: Progress | None) -> None:
    # Several processes may be at it at once: each makes its own, and that of the first to end stays.
    part = folder.with_name(f".{folder.name}.{uuid4().hex}")
    part.mkdir(parents=True)
    try:
        with Entries(source) as entries, (part / _PIXELS).open("wb") as pixels:
            digest, sizes = hashlib.sha256(), []
            for done, name in enumerate(files):
                if progress is not None:
                    progress(done, len(files))
                picture = _read(entries, name, side, digest)
                sizes.append((picture.height, picture.width))
                pixels.write(picture.tobytes())
            pixels.flush()
            os.fsync(pixels.fileno())
        if progress is not None:
            progress(len(files), len(files))
        atomic_write(part / _INDEX, json.dumps({"sha256": digest.hexdigest(), "sizes": sizes}) + "\n")
        try:
            part.rename(folder)
        except OSError:
            if not (folder / _INDEX).exists():
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _read(entries: Entries, name: str, side: int, digest: Any) -> Image.Image:
    """A picture made smaller, its name and its file's bytes counted in."""
    with entries.open(name) as file:
        digest.update(name.encode() + b"\0" + hashlib.sha256(file.read()).digest())
        file.seek(0)
        picture = flatten(open_picture(file, name=name, least=side))
    factor = side / min(picture.size)
    width, height = (max(side, round(length * factor)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.BICUBIC)
