"""Files in a folder, a zip or a tar: read where they lie, or unpacked where they can harm nothing."""

import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from .whole_folder import make_folder

Progress = Callable[[int, int], None]
"""Called as progress(bytes of the archive read, bytes in all)."""

MOST_BYTES = 1 << 30
"""Of one file in a zip. An archive of a few kilobytes can claim more than the memory holds."""
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


class Entries:
    """The files of a folder or a zip by their names within it, such as "train/1.jpg"; a context manager.

    Args:
        path: The folder, or the zip.

    Raises:
        ValueError: If it is neither, or the zip is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        if path.is_dir():
            return
        if not path.is_file():
            raise ValueError(f"{path}: there is no such folder or zip.")
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise ValueError(f"{path}: this is not a whole zip ({error}).") from None

    def __enter__(self) -> "Entries":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._zip is not None:
            self._zip.close()

    def __iter__(self) -> Iterator[str]:
        """Names of all files, in the order of their spelling."""
        if self._zip is not None:
            return iter(sorted(item.filename for item in self._zip.infolist() if not item.is_dir()))
        files = (path for path in self.path.rglob("*") if path.is_file())
        return iter(sorted(path.relative_to(self.path).as_posix() for path in files))

    def __contains__(self, name: str) -> bool:
        if self._zip is None:
            return (self.path / name).is_file()
        return name in self._zip.NameToInfo

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """One file, to read from while the context lasts.

        Raises:
            ValueError: If there is no such file, it claims to be larger than `MOST_BYTES`, or it is damaged,
                which may show only while it is read.
        """
        if name not in self:
            raise ValueError(f"{self.path}: there is no {name} in it.")
        if self._zip is None:
            with (self.path / name).open("rb") as file:
                yield file
            return
        claimed = self._zip.getinfo(name).file_size
        if claimed > MOST_BYTES:
            raise ValueError(
                f"{self.path}: {name} claims {claimed} bytes, more than the {MOST_BYTES} allowed."
            )
        try:
            with self._unzipped(name) as packed:
                yield packed
        except _DAMAGED as error:
            raise ValueError(f"{self.path}: {name} in it is damaged ({error}).") from None

    def _unzipped(self, name: str) -> BinaryIO:
        assert self._zip is not None
        try:
            return cast(BinaryIO, self._zip.open(name))
        except RuntimeError as error:  # a password, or a compression that Python does not know
            raise ValueError(f"{self.path}: {name} in it cannot be read ({error}).") from None


def extract_tar(
    archive: Path, folder: Path, *, most_bytes: int, within: str = "", progress: Progress | None = None
) -> None:
    """Unpacks a tar, zipped or not, into a folder that appears whole or not at all; see `make_folder`.

    Plain files and folders alone are made, below the folder alone: an absolute name or one with ".." is
    refused, and links and devices are left out.

    Args:
        archive: The tar.
        folder: Where its contents go.
        most_bytes: The most that all its files may come to.
        within: The folder of the archive whose contents are wanted; default, all.
        progress: Told how far it is.

    Raises:
        ValueError: If the archive is damaged, names a file outside the folder, or holds more than allowed or
            nothing.
    """

    def fill(part: Path) -> None:
        try:
            with archive.open("rb") as stream, tarfile.open(fileobj=stream) as tar:
                _extract(tar, stream, archive, part, most_bytes, within, progress)
        except (tarfile.TarError, *_DAMAGED) as error:
            raise ValueError(f"{archive}: this is not a whole tar ({error}).") from None
        if not any(part.iterdir()):
            raise ValueError(f"{archive} must hold files{within and f' in a folder {within}'}, and does not.")

    make_folder(folder, fill)


def _extract(
    tar: tarfile.TarFile,
    stream: BinaryIO,
    archive: Path,
    part: Path,
    most_bytes: int,
    within: str,
    progress: Progress | None,
) -> None:
    total, left = archive.stat().st_size, most_bytes
    for member in tar:
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts or "\\" in member.name or ":" in member.name:
            raise ValueError(f"{archive}: {member.name!r} names a place outside the folder.")
        content = tar.extractfile(member) if member.isfile() and name.is_relative_to(within) else None
        if content is None:
            continue
        left -= member.size
        if left < 0:
            raise ValueError(f"{archive}: it unpacks to more than the {most_bytes} bytes allowed.")
        target = part / name.relative_to(within)
        target.parent.mkdir(parents=True, exist_ok=True)
        with content, target.open("wb") as file:
            shutil.copyfileobj(content, file)
        if progress is not None:
            progress(stream.tell(), total)
