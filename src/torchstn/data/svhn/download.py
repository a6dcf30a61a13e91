"""Fetches the official archives and unpacks them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ..archives import extract_tar
from ..download import Progress, download_file
from ..mnist_files import get_data_dir
from .files import ARCHIVES, MIRRORS

_MOST_GROWTH = 4
"""PNGs hardly shrink in a tar.gz; unpacked they come to no more than so many times its size."""


def download_svhn(
    folder: Path | None = None,
    parts: Sequence[str] = ("train", "test"),
    progress: Progress | None = None,
    *,
    mirrors: Sequence[str] = MIRRORS,
    timeout: float = 20.0,
) -> Path:
    """Downloads official photographs, checks them, and unpacks each part into a folder of its name.

    What is there already is kept. The archive is removed once it is unpacked.

    Args:
        folder: Where to put them; default: `svhn` in `get_data_dir()`.
        parts: Of "train" (404 MB), "test" (277 MB) and "extra" (1,955 MB).
        progress: Told how far each archive is, first as it arrives, then as it is unpacked.
        mirrors: Addresses that the archives' names complete, tried in order.
        timeout: The longest silence of a server, in seconds.

    Returns:
        The folder.

    Raises:
        DownloadError: If an archive could not be had.
        ValueError: If there is no such part, or an archive is not what it should be.
    """
    folder = get_data_dir() / "svhn" if folder is None else Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        if part not in ARCHIVES:
            raise ValueError(f"`parts` must be of {', '.join(ARCHIVES)}, got {part!r}.")
        if not (folder / part).exists():
            _get(part, folder, progress, mirrors, timeout)
    return folder


def _get(part: str, folder: Path, progress: Progress | None, mirrors: Sequence[str], timeout: float) -> None:
    archive = ARCHIVES[part]
    packed = folder / archive.file
    download_file(
        [mirror + archive.file for mirror in mirrors],
        packed,
        size=archive.size,
        md5=archive.md5,
        progress=progress,
        timeout=timeout,
    )
    extract_tar(
        packed,
        folder / part,
        most_bytes=_MOST_GROWTH * archive.size,
        within=part,
        progress=_told(progress, archive.name),
    )
    packed.unlink(missing_ok=True)  # another process that waited for it may have been first


def _told(progress: Progress | None, name: str) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(f"unpacking {name}", done, total)
