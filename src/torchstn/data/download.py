"""Fetches files of known size and checksum from mirrors, continuing where a connection broke off."""

import http.client
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from ..training.lock import lock_file
from .mnist_files import MNIST_FILES, digest_of, get_data_dir

MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)

Progress = Callable[[str, int, int], None]
"""Called as progress(file name, bytes so far, bytes in all), at the start and after each piece."""

_PIECE = 1 << 16
_TRIES = 3
_AGAIN = 1.0
"""Seconds between two looks whether another process is done."""
_KINDS = {"sha256": "SHA-256", "md5": "MD5"}
# not every OSError: a full disk is no reason to ask another mirror
_CONNECTION_ERRORS = (URLError, ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException)


class DownloadError(OSError):
    """No mirror gave the file; the message is one sentence that says why."""


def download_mnist(
    folder: Path | None = None,
    progress: Progress | None = None,
    *,
    mirrors: Sequence[str] = MNIST_MIRRORS,
    timeout: float = 20.0,
) -> Path:
    """Downloads the four gzipped files of MNIST, 11.6 MB in all.

    A file that is there already and right is kept. A file appears under its name only when whole and checked.

    Args:
        folder: Where to put them; default: `mnist` in `get_data_dir()`.
        progress: Told how far each file is.
        mirrors: Addresses that the files' names complete, tried in order.
        timeout: The longest silence of a server, in seconds.

    Returns:
        The folder, as `load_mnist` takes it.

    Raises:
        DownloadError: If some file could not be had from any mirror.
    """
    folder = get_data_dir() / "mnist" if folder is None else Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for file in MNIST_FILES:
        download_file(
            [mirror + file.name for mirror in mirrors],
            folder / file.name,
            size=file.zipped_size,
            sha256=file.zipped_sha256,
            progress=progress,
            timeout=timeout,
        )
    return folder


def download_file(
    urls: Sequence[str],
    target: Path,
    *,
    size: int,
    sha256: str | None = None,
    md5: str | None = None,
    progress: Progress | None = None,
    timeout: float = 20.0,
) -> None:
    """Downloads one file whose size and SHA-256 are known, or the MD5 where its publisher gives no other.

    What arrived before a connection broke is kept in `target` + ".part" and continued from there, by the next
    try and by the next call. No more than `size` bytes are ever written. While another process downloads the
    same file, this one waits, tells how far that is, and takes what it got.

    Raises:
        DownloadError: If no address gave the file in three tries each.
        OSError: If the file cannot be written.
        ValueError: If not exactly one checksum is given.
    """

    def report(done: int) -> None:
        if progress is not None:
            progress(target.name, min(done, size), size)

    def is_there() -> bool:
        right = target.is_file() and digest_of(target, checksum[0]) == checksum[1]
        if right:
            report(size)
        return right

    if (sha256 is None) == (md5 is None):
        raise ValueError("One of `sha256` and `md5` must be given.")
    checksum = ("sha256", sha256) if md5 is None else ("md5", md5)
    if is_there():
        return
    part = target.with_name(target.name + ".part")
    with _alone(part, report):
        if not is_there():
            _fetch(urls, part, target, size, checksum, report, timeout)


@contextmanager
def _alone(part: Path, waiting: Callable[[int], None]) -> Iterator[None]:
    """Lets one process at a time write the file; it is there meanwhile, and stays if anything is in it."""
    if os.name == "nt":
        yield  # there are no locks there, and what is open cannot be renamed
        return
    while True:
        with part.open("ab") as stream:
            if lock_file(stream.fileno()) and _is_at(part, stream):
                try:
                    yield
                finally:
                    if _is_at(part, stream) and part.stat().st_size == 0:
                        part.unlink()
                return
            waiting(os.fstat(stream.fileno()).st_size)
        time.sleep(_AGAIN)


def _is_at(path: Path, stream: BinaryIO) -> bool:
    """Whether an open file has the name still: a lock on one that was renamed or removed means nothing."""
    try:
        return os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def _fetch(
    urls: Sequence[str],
    part: Path,
    target: Path,
    size: int,
    checksum: tuple[str, str | None],
    report: Callable[[int], None],
    timeout: float,
) -> None:
    reason = "no address was given"
    for url in urls:
        for _ in range(_TRIES):
            try:
                _continue(url, part, size, report, timeout)
                _publish(part, target, *checksum)
            except _DamagedError as error:
                os.truncate(part, 0)  # not removed: what is locked is the file, not its name
                reason = f"{url}: {error}"
            except HTTPError as error:
                error.close()
                reason = f"{url}: the server says {error.code} {error.reason}"
                break
            except _CONNECTION_ERRORS as error:
                reason = f"{url}: {getattr(error, 'reason', None) or error or type(error).__name__}"
            else:
                return
    raise DownloadError(f"Could not download {target.name}, is there a network? Last failure: {reason}.")


class _DamagedError(Exception):
    """What arrived cannot become the file: begin again."""


def _continue(url: str, part: Path, size: int, report: Callable[[int], None], timeout: float) -> None:
    done = part.stat().st_size if part.exists() else 0
    report(done)
    if done == size:
        return
    if done > size:
        raise _DamagedError(f"{done} bytes lay in {part.name}, more than the file's {size}")
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"`urls` must start with https:// or http://, got {url!r}.")
    headers = {"User-Agent": "torchstn", "Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    request = Request(url, headers=headers)  # noqa: S310 - the scheme is checked above
    with urlopen(request, timeout=timeout) as response:  # noqa: S310
        continued = response.status == 206
        if continued and _start_of(response.headers.get("Content-Range", "")) != done:
            raise _DamagedError("the server sent another part than was asked for")
        _append(response, part, done if continued else 0, size, report)


def _append(
    response: http.client.HTTPResponse, part: Path, done: int, size: int, report: Callable[[int], None]
) -> None:
    with part.open("ab" if done else "wb") as stream:
        while piece := response.read1(_PIECE):
            done += len(piece)
            if done > size:
                raise _DamagedError(f"the server sends more than the file's {size} bytes")
            stream.write(piece)
            report(done)
        stream.flush()
        os.fsync(stream.fileno())
    if done < size:
        raise ConnectionError(f"the connection ended after {done} of {size} bytes")


def _publish(part: Path, target: Path, kind: str, expected: str | None) -> None:
    found = digest_of(part, kind)
    if found != expected:
        raise _DamagedError(f"its {_KINDS[kind]} is {found}, not {expected}")
    part.replace(target)


def _start_of(content_range: str) -> int | None:
    found = re.match(r"bytes (\d+)-", content_range)
    return int(found[1]) if found else None
