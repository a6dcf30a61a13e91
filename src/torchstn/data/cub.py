"""CUB-200-2011: photographs of birds, their species, boxes around them and where their parts are.

C. Wah, S. Branson, P. Welinder, P. Perona, S. Belongie: The Caltech-UCSD Birds-200-2011 Dataset (2011). For
research and education that is not commercial.
"""

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .archives import Entries
from .pictures import picture_size

FOLDER = "CUB_200_2011"
_METADATA = "CUB_200_2011_metadata.zip"
_IMAGES = "cub*_images_*.zip"
_SIZES = "sizes.csv"


class CubPlace(NamedTuple):
    """Where the data lies.

    Attributes:
        metadata: The folder or zip with images.txt and the other lists.
        images: The folder or zip with the images, a folder a species.
    """

    metadata: Path
    images: Path


@dataclass(frozen=True, eq=False)
class Cub:
    """The images in the order of their numbers, and what is known of each.

    Attributes:
        images: The folder or zip they lie in.
        files: Their n names there.
        labels: int64 (n,), their species, from 0.
        learnt: bool (n,), whether they are of the official training part.
        boxes: (n, 4) around the bird: left, top, width, height in pixels of the original image.
        parts: (n, 15, 3) x, y in the same pixels, and 1 where the part is to be seen.
        original: (n, 2) width and height of the originals of images that were made smaller; None where the
            images are the originals.
        classes: The names of the species.
        part_names: The names of the parts, such as "left eye".
    """

    images: Path
    files: tuple[str, ...]
    labels: Tensor
    learnt: Tensor
    boxes: Tensor
    parts: Tensor
    original: Tensor | None
    classes: tuple[str, ...]
    part_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.files)

    def first(self, classes: int) -> "Cub":
        """The images of the first so many species.

        Raises:
            ValueError: If there are not so many.
        """
        if not 2 <= classes <= len(self.classes):
            raise ValueError(
                f"`classes` must be from 2 to {len(self.classes)}, the number of species in {self.images}, "
                f"got {classes}."
            )
        return replace(self._at(self.labels < classes), classes=self.classes[:classes])

    def _at(self, chosen: Tensor) -> "Cub":
        files = tuple(file for file, kept in zip(self.files, chosen.tolist(), strict=True) if kept)
        held = {name: getattr(self, name)[chosen] for name in ("labels", "learnt", "boxes", "parts")}
        original = None if self.original is None else self.original[chosen]
        return replace(self, files=files, original=original, **held)

    def sizes(self) -> Tensor:
        """(n, 2) width and height in pixels of the images that boxes and parts are given in."""
        if self.original is not None:
            return self.original
        with Entries(self.images) as entries:
            sizes = [_size(entries, name) for name in self.files]
        return torch.tensor(sizes, dtype=torch.float32).flip(1)


def load_cub(folder: Path) -> Cub:
    """Reads the official data set, unpacked, or a part of its species as zips.

    The zips are CUB_200_2011_metadata.zip, with the official lists, and a cub*_images_*.zip, whose
    `sizes.csv` says how large the originals of its images were.

    Args:
        folder: See `find_cub`.

    Returns:
        Every image of the species that have any.

    Raises:
        ValueError: If the data is not there, a list is damaged, or an image of a species is missing.
    """
    place = find_cub(folder)
    with Entries(place.metadata) as lists, Entries(place.images) as images:
        whole = _read(lists, place.images)
        names = set(images)
        here = torch.tensor([file in names for file in whole.files])
        original = _originals(images, whole.files) if _SIZES in names else None
    species = sorted(set(whole.labels[here].tolist()))
    if not species:
        raise ValueError(f"{place.images} holds none of the images that {place.metadata} lists.")
    wanted = torch.isin(whole.labels, torch.tensor(species))
    for file, expected, found in zip(whole.files, wanted.tolist(), here.tolist(), strict=True):
        if expected and not found:
            raise ValueError(f"{place.images} lacks {file}, which {place.metadata} lists.")
    cub = replace(whole, original=original)._at(wanted)
    labels = torch.searchsorted(torch.tensor(species), cub.labels)
    return replace(cub, labels=labels, classes=tuple(whole.classes[k] for k in species))


def find_cub(folder: Path) -> CubPlace:
    """Finds the data in a folder, or in its cub or CUB_200_2011.

    Raises:
        ValueError: If it is in none of these.
    """
    for place in (folder, folder / "cub"):
        for unpacked in (place, place / FOLDER, place / FOLDER / FOLDER):
            if (unpacked / "images.txt").is_file() and (unpacked / "images").is_dir():
                return CubPlace(unpacked, unpacked / "images")
        zips = sorted(place.glob(_IMAGES))
        if zips and (place / _METADATA).is_file():
            return CubPlace(place / _METADATA, zips[0])
    raise ValueError(
        f"`folder` must hold CUB-200-2011, unpacked, or {_METADATA} and {_IMAGES}; {folder} does not. "
        "`torchstn data get cub` downloads it."
    )


def _read(lists: Entries, images: Path) -> Cub:
    files = _column(lists, "images.txt")
    count, classes = len(files), _column(lists, "classes.txt")
    labels = _numbers(lists, "image_class_labels.txt", 1, count)[:, 0].long() - 1
    if count and not 0 <= int(labels.min()) <= int(labels.max()) < len(classes):
        raise ValueError(f"{lists.path}: image_class_labels.txt names a class that classes.txt has not.")
    names = _column(lists, "parts/parts.txt")
    parts = _numbers(lists, "parts/part_locs.txt", 4, count * len(names), every=len(names))
    return Cub(
        images=images,
        files=tuple(files),
        labels=labels,
        learnt=_numbers(lists, "train_test_split.txt", 1, count)[:, 0] == 1,
        boxes=_numbers(lists, "bounding_boxes.txt", 4, count),
        parts=parts[:, 1:].reshape(count, len(names), 3),
        original=None,
        classes=tuple(name.partition(".")[2].replace("_", " ") for name in classes),
        part_names=tuple(names),
    )


def _column(lists: Entries, name: str) -> list[str]:
    """What stands on each line after its number."""
    with lists.open(name) as file:
        lines = [line.split() for line in file.read().decode("utf-8", errors="replace").splitlines()]
    lines = [words for words in lines if words]
    if [words[0] for words in lines] != [str(1 + row) for row in range(len(lines))]:
        raise ValueError(f"{lists.path}: the lines of {name} must be numbered 1, 2, 3 ...; it is damaged.")
    return [" ".join(words[1:]) for words in lines]


def _numbers(lists: Entries, name: str, columns: int, rows: int, every: int = 1) -> Tensor:
    """The columns behind the number each line begins with: 1, 2 ..., each of them on `every` lines."""
    try:
        with lists.open(name) as file:
            found = np.loadtxt(file, dtype=np.float32, ndmin=2)
        whole = found.shape == (rows, 1 + columns) and (found[:, 0] == 1 + np.arange(rows) // every).all()
    except (ValueError, UnicodeDecodeError):
        whole = False
    if not whole:
        raise ValueError(
            f"{lists.path}: {name} must have {rows} lines of {columns + 1} numbers, in order; it is damaged."
        )
    return torch.from_numpy(found[:, 1:].copy())


def _originals(images: Entries, files: tuple[str, ...]) -> Tensor:
    """(n, 2) the sizes of the originals; 0 of images that the list leaves out."""
    with images.open(_SIZES) as file:
        rows = csv.DictReader(io.TextIOWrapper(file, encoding="utf-8"))
        try:
            sizes = {row["file"]: (float(row["orig_width"]), float(row["orig_height"])) for row in rows}
        except (KeyError, ValueError, TypeError, csv.Error) as error:
            raise ValueError(
                f"{images.path}: {_SIZES} must have the columns file, orig_width and orig_height: {error}."
            ) from None
    return torch.tensor([sizes.get(name, (0.0, 0.0)) for name in files])


def _size(entries: Entries, name: str) -> tuple[int, int]:
    with entries.open(name) as file:
        return picture_size(file, name=name)
