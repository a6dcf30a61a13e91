"""Files appear whole or not at all."""

import os
import tempfile
from pathlib import Path


def atomic_write(path: Path | str, content: bytes | str) -> None:
    """Writes a file so that no reader, and no crash, ever meets half of it.

    The content goes to a temporary file in the same folder, is flushed to the disk, and takes the
    name in one step.

    Args:
        path: The file to write or replace. Its folder is made if it is missing.
        content: The bytes; text is written as UTF-8.

    Raises:
        OSError: If the folder cannot be written to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        # An interrupt may come when the file has just taken its name.
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flushes a folder's entries to the disk, so that a rename outlives a power cut."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary files that a killed process may have left in a folder."""
    for leftover in folder.glob(".*.part"):
        leftover.unlink(missing_ok=True)


def _umask() -> int:
    """The process's mask for new files, which `mkstemp` ignores."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
