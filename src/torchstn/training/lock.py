"""One process at a time in a folder; the system lets go of the lock when the process dies."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderInUseError(ValueError):
    """Another process has locked the folder; it will let go of it some time."""

    exit_code = 75
    """With which a program ends that was refused so; "try again later" in sysexits.h."""


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Keeps other processes from locking a folder, for as long as the context lasts.

    It is the open file that is locked, not its name: the file stays, and means nothing by itself. Where the
    system or the file system has no such locks, nothing is locked.

    Args:
        folder: Which one; it is made if it is missing.

    Raises:
        FolderInUseError: If another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not lock_file(descriptor):
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            raise FolderInUseError(
                f"`{folder}` is in use: process {holder} trains in it. Wait for it, stop it, or choose "
                "another folder."
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def lock_file(descriptor: int) -> bool:
    """Locks an open file without waiting; whether it is ours now, or there are no locks to be had."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
