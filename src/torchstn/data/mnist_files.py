"""The four files of MNIST: their names, sizes and checksums, and where to look for them.

MNIST is by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, commonly given as CC BY-SA 3.0.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MnistFile:
    """What is known of one file: the gzipped original and the array inside it."""

    stem: str
    suffix: str
    zipped_size: int
    zipped_sha256: str
    shape: tuple[int, ...]
    content_sha256: str
    """Of the unpacked file, header and array: the same however it was zipped again."""

    @property
    def name(self) -> str:
        """The name of the gzipped original."""
        return f"{self.stem}-{self.suffix}.gz"

    def find(self, folder: Path) -> Path | None:
        """The file in this folder under one of its usual names, zipped or not."""
        for joint in "-.":
            for ending in (".gz", ""):
                path = folder / f"{self.stem}{joint}{self.suffix}{ending}"
                if path.is_file():
                    return path
        return None


TRAIN_IMAGES = MnistFile(
    "train-images",
    "idx3-ubyte",
    9912422,
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    (60000, 28, 28),
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
)
TRAIN_LABELS = MnistFile(
    "train-labels",
    "idx1-ubyte",
    28881,
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    (60000,),
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
)
TEST_IMAGES = MnistFile(
    "t10k-images",
    "idx3-ubyte",
    1648877,
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    (10000, 28, 28),
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
)
TEST_LABELS = MnistFile(
    "t10k-labels",
    "idx1-ubyte",
    4542,
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    (10000,),
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)
MNIST_FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


def get_data_dir() -> Path:
    """Where downloaded data lies: the environment variable TORCHSTN_DATA, else ~/.cache/torchstn."""
    named = os.environ.get("TORCHSTN_DATA")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "torchstn"


def find_mnist(folder: Path) -> dict[MnistFile, Path]:
    """Finds the four files in a folder, or in its mnist or MNIST/raw.

    Raises:
        ValueError: If no such place holds all four; the message says what is missing.
    """
    fewest_missing = [file.name for file in MNIST_FILES]
    for place in (folder, folder / "mnist", folder / "MNIST" / "raw"):
        found = {file: file.find(place) for file in MNIST_FILES}
        missing = [file.name for file, path in found.items() if path is None]
        if not missing:
            return {file: path for file, path in found.items() if path is not None}
        fewest_missing = min(fewest_missing, missing, key=len)
    raise ValueError(
        f"`folder` must hold the four files of MNIST, gzipped or not, but {folder} lacks "
        f"{', '.join(fewest_missing)}. `torchstn data get mnist` downloads them."
    )


def digest_of(path: Path, kind: str = "sha256") -> str:
    """The SHA-256, or the digest of another kind, of a file's bytes as they lie on disk, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, kind).hexdigest()
