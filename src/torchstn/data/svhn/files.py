"""The official archives of the Street View House Numbers, and where to look for what they hold.

SVHN is by Netzer, Wang, Coates, Bissacco, Wu and Ng (2011), for non-commercial use only.
"""

from dataclasses import dataclass
from pathlib import Path

from ..mnist_files import get_data_dir

MIRRORS = ("http://ufldl.stanford.edu/housenumbers/",)
ANNOTATIONS = ("digitStruct.mat", "labels.csv")


@dataclass(frozen=True)
class Archive:
    """What is known of one archive, NAME.tar.gz; its files are in a folder of the same name."""

    name: str
    size: int
    md5: str
    photographs: int

    @property
    def file(self) -> str:
        """The archive's name."""
        return f"{self.name}.tar.gz"


ARCHIVES = {
    archive.name: archive
    for archive in (
        Archive("train", 404141560, "a649f4cb15c35520e8a8c342d4c0005a", 33402),
        Archive("test", 276555967, "790d9c8d42f1fcbd219b59956c853a81", 13068),
        Archive("extra", 1955489752, "606f41243d71ca4d5fe66dbaf1f02bee", 202353),
    )
}


def find_part(folder: Path, part: str) -> Path:
    """A folder or zip of photographs: PART, PART.zip or full_PART_*.zip, in the folder or its svhn.

    Args:
        folder: Where to look.
        part: "train", "test", "extra" or another name.

    Raises:
        ValueError: If there is none.
    """
    for place in (folder, folder / "svhn"):
        inner = place / part
        if any((inner / name).is_file() for name in ANNOTATIONS):
            return inner
        for path in (place / f"{part}.zip", *sorted(place.glob(f"full_{part}_*.zip"))):
            if path.is_file():
                return path
    raise ValueError(
        f"{folder} must hold the photographs of {part}, in a folder {part} with digitStruct.mat or "
        f"labels.csv, or in {part}.zip with labels.csv. `torchstn data get svhn` downloads the official ones."
    )


def find_svhn(folder: Path | None) -> Path:
    """The folder given, or the one that `torchstn data get svhn` fills, if it holds what a training needs.

    Raises:
        ValueError: If it does not.
    """
    folder = get_data_dir() if folder is None else folder
    for part in ("train", "test"):
        find_part(folder, part)
    return folder
