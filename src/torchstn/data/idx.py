"""Reads the idx files MNIST comes in: a short header and one array, plain or gzipped."""

import gzip
import math
import zlib
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
from numpy.typing import NDArray

_Bytes: TypeAlias = IO[bytes] | gzip.GzipFile

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20
_MOST_DEFLATE_GAINS = 1032  # bytes out for a byte in, by the format's own limit


def read_idx(
    path: Path, *, shape: tuple[int, ...] | None = None, max_bytes: int = 1 << 28
) -> NDArray[np.generic]:
    """Reads one array from an idx file.

    Everything the header promises is checked before memory is taken for it, and no more is unpacked than it
    promised, so neither a lying header nor a gzip bomb costs more than `max_bytes`.

    Args:
        path: The file, plain or gzipped; its first bytes tell, not its name.
        shape: The shape the array must have, if known.
        max_bytes: The largest array accepted.

    Returns:
        The array, in the machine's byte order.

    Raises:
        ValueError: If the file is not a whole idx file, or its array is not as asked.
        OSError: If the file cannot be opened.
    """
    on_disk = path.stat().st_size
    with path.open("rb") as plain:
        zipped = plain.read(2) == _GZIP_MAGIC
        plain.seek(0)
        if not zipped:
            return _read(plain, path, shape, min(max_bytes, on_disk))
        try:
            with gzip.GzipFile(fileobj=plain) as unzipped:
                return _read(unzipped, path, shape, min(max_bytes, on_disk * _MOST_DEFLATE_GAINS))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path} must be a whole gzip file, but unpacking failed: {error}.") from None


def _read(stream: _Bytes, path: Path, wanted: tuple[int, ...] | None, limit: int) -> NDArray[np.generic]:
    dtype, shape = _read_header(stream, path)
    if wanted is not None and shape != wanted:
        raise ValueError(f"{path} must hold an array of shape {wanted}, but its header says {shape}.")
    size = math.prod(shape) * dtype.itemsize
    if size > limit:
        raise ValueError(f"{path} promises {size} bytes of data, more than the {limit} it may hold.")
    payload = _read_up_to(stream, size + 1)
    if len(payload) != size:
        found = "more" if len(payload) > size else f"only {len(payload)}"
        raise ValueError(f"{path} promises {size} bytes of data, but holds {found}.")
    return np.frombuffer(payload, dtype=dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _read_header(stream: _Bytes, path: Path) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
    magic = _read_up_to(stream, 4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or magic[3] == 0:
        raise ValueError(f"{path} must be an idx file, but starts with {magic.hex(' ') or 'no bytes'}.")
    sizes = _read_up_to(stream, 4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise ValueError(f"{path} ends inside its header.")
    return np.dtype(_TYPES[magic[2]]), tuple(np.frombuffer(sizes, dtype=">u4").tolist())


def _read_up_to(stream: _Bytes, count: int) -> bytes:
    # chunk by chunk: a single read(count) would take the memory before knowing whether the bytes exist
    parts: list[bytes] = []
    while count > 0 and (part := stream.read(min(count, _CHUNK))):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
