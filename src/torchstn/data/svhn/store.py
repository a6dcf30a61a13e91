"""Crops that are cut out once and then read from a file that lies in memory only as far as it is used."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..download import Progress
from ..mnist_files import get_data_dir
from ..whole_folder import make_folder, refuse_damage
from .crops import crop
from .photographs import Photographs

POSITIONS = 5
NOTHING = 10
"""The class of a position that has no digit."""
_FORMAT = 1


@dataclass(frozen=True, eq=False)
class Crops:
    """The crops of a folder or zip of photographs.

    Attributes:
        images: uint8 (n, 3, side, side), memory-mapped.
        labels: int64 (n, 5), digits from left to right, then `NOTHING`.
        numbers: int64 (n,), the number in each photograph's file name, 0 where there is none.
        sha256: Of images and labels.
        left_out: Photographs with more than five digits.
    """

    images: NDArray[np.uint8]
    labels: Tensor
    numbers: Tensor
    sha256: str
    left_out: int

    def __len__(self) -> int:
        return len(self.labels)


def load_crops(
    path: Path, *, side: int, enlarge: float, store: Path | None = None, progress: Progress | None = None
) -> Crops:
    """The crops of photographs, cut out now unless that has been done before.

    Args:
        path: A folder or zip, see `Photographs`.
        side: Of a crop, in pixels.
        enlarge: How much larger it is than the box around the digits, see `crop`.
        store: Where crops are kept; default, `svhn-crops` in `get_data_dir()`.
        progress: Told how far each step is.

    Raises:
        ValueError: If a photograph or the annotation is missing or damaged, or the crops in the store are.
    """
    with Photographs(path) as photographs:
        folder = (store or get_data_dir() / "svhn-crops") / _key(photographs, side, enlarge)
        make_folder(folder, lambda part: _cut_out(photographs, part, side, enlarge, progress))
    with refuse_damage(folder):
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        return Crops(
            np.load(folder / "images.npy", mmap_mode="r"),
            torch.from_numpy(np.load(folder / "labels.npy")),
            torch.from_numpy(np.load(folder / "numbers.npy")),
            about["sha256"],
            about["left_out"],
        )


def _key(photographs: Photographs, side: int, enlarge: float) -> str:
    """What the crops depend on: which photographs, when they changed last, and how they are cut out."""
    path = photographs.path
    dated = path if path.is_file() else path / photographs.annotation
    facts = (_FORMAT, str(path.resolve()), dated.stat().st_size, dated.stat().st_mtime_ns, side, enlarge)
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _cut_out(
    photographs: Photographs, folder: Path, side: int, enlarge: float, progress: Progress | None
) -> None:
    every = photographs.houses(_told(progress, f"Reading {photographs.path.name}"))
    houses = [house for house in every if len(house.digits) <= POSITIONS]
    tell = _told(progress, f"Cutting the house numbers out of {photographs.path.name}")
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (len(houses), 3, side, side))
    labels = np.full((len(houses), POSITIONS), NOTHING, dtype=np.int64)
    for k, (house, photograph) in enumerate(photographs.of(houses)):
        images[k] = crop(photograph, house.around, enlarge, side).numpy()
        labels[k, : len(house.digits)] = house.digits
        tell(k + 1, len(houses))
    images.flush()
    np.save(folder / "labels.npy", labels)
    np.save(folder / "numbers.npy", np.array([_number(house.file) for house in houses], dtype=np.int64))
    digest = hashlib.sha256(images.data)
    digest.update(labels.tobytes())
    about = {"sha256": digest.hexdigest(), "left_out": len(every) - len(houses)}
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


def _told(progress: Progress | None, title: str) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(title, done, total)

    return tell


def _number(file: str) -> int:
    stem = Path(file).stem
    return int(stem) if stem.isascii() and stem.isdigit() else 0
