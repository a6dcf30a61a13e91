"""Fetches the official archive of CUB-200-2011 and unpacks it."""

from collections.abc import Sequence
from pathlib import Path

from .archives import extract_tar
from .cub import FOLDER, find_cub
from .download import Progress, download_file
from .mnist_files import get_data_dir

CUB_URLS = ("https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz?download=1",)
_ARCHIVE = "CUB_200_2011.tgz"
_SIZE = 1_150_585_339
_SHA256 = "0c685df5597a8b24909f6a7c9db6d11e008733779a671760afef78feb49bf081"
_MOST_BYTES = 3 << 30
"""What it may unpack to; it comes to about 1.2 GB."""


def download_cub(
    folder: Path | None = None,
    progress: Progress | None = None,
    *,
    urls: Sequence[str] = CUB_URLS,
    size: int = _SIZE,
    sha256: str = _SHA256,
) -> Path:
    """Downloads CUB-200-2011, 1.15 GB, and unpacks it beside its archive, which can then be removed.

    What is there already and whole is kept; a download that broke off goes on where it stopped.

    Args:
        folder: Where to put it; default: `cub` in `get_data_dir()`.
        progress: Told how far the archive's download is, then its unpacking.
        urls: Addresses of the archive, tried in order.
        size: Of the archive in bytes,
        sha256: and its checksum.

    Returns:
        The folder, as `load_cub` takes it.

    Raises:
        DownloadError: If no address gave the archive.
        FileExistsError: If some of it is there already.
        ValueError: If the archive would unpack to anything but plain files below the folder.
    """
    folder = get_data_dir() / "cub" if folder is None else Path(folder)
    unpacked = (folder / FOLDER).exists()  # before the look into it: another process may just be making it
    if _is_there(folder):
        return folder
    if unpacked:
        raise FileExistsError(f"{folder / FOLDER} is there but not whole; delete it, and it is made anew.")
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / _ARCHIVE
    download_file(urls, archive, size=size, sha256=sha256, progress=progress)

    def told(done: int, total: int) -> None:
        if progress is not None:
            progress("unpacking", done, total)

    extract_tar(archive, folder / FOLDER, most_bytes=_MOST_BYTES, progress=told)
    return folder


def _is_there(folder: Path) -> bool:
    try:
        find_cub(folder)
    except ValueError:
        return False
    return True
