"""The photographs of a folder or zip, each with its annotation."""

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from torch import Tensor

from ..archives import Entries
from ..pictures import read_picture
from .annotation import House
from .digit_struct import read_digit_struct
from .files import ANNOTATIONS
from .labels_csv import read_labels


class Photographs:
    """Annotated photographs; a context manager.

    Args:
        path: A folder or zip that holds digitStruct.mat or labels.csv, and beside it the photographs.

    Attributes:
        annotation: Its name within.

    Raises:
        ValueError: If there is no annotation.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._entries = path, Entries(path)
        names = [name for name in ANNOTATIONS if name in self._entries] or [
            name for name in self._entries if PurePosixPath(name).name in ANNOTATIONS
        ]
        if not names:
            raise ValueError(f"{path} must hold one of {' and '.join(ANNOTATIONS)}, and holds neither.")
        self.annotation = min(names, key=lambda name: name.count("/"))

    def __enter__(self) -> "Photographs":
        return self

    def __exit__(self, *exception: object) -> None:
        self._entries.__exit__(*exception)

    def houses(self, progress: Callable[[int, int], None] | None = None) -> list[House]:
        """What is on them, in the order of the annotation; of the official one this may take minutes.

        Args:
            progress: Called as progress(photographs read, photographs in all).

        Raises:
            ValueError: If the annotation is damaged.
        """
        called = f"{self.path}: {self.annotation}"
        with self._entries.open(self.annotation) as file:
            if self.annotation.endswith(".csv"):
                return read_labels(io.TextIOWrapper(file, "utf-8-sig", newline=""), name=called)
            return read_digit_struct(file, name=called, progress=progress)

    def of(self, houses: Iterable[House]) -> Iterator[tuple[House, Tensor]]:
        """Each of these and its photograph, uint8 (3, h, w).

        Raises:
            ValueError: If a photograph is missing or damaged; names it.
        """
        folder = PurePosixPath(self.annotation).parent
        for house in houses:
            name = (folder / house.file).as_posix()
            with self._entries.open(name) as file:
                yield house, read_picture(file, name=f"{self.path}: {name}")
