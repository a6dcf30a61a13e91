"""Folders appear whole or not at all, and of several processes one makes them for all."""

import glob
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

from ..training.files import sync_folder
from ..training.lock import FolderInUseError, lock_folder

_AGAIN = 1.0
"""Seconds between two looks whether another process is done."""


def make_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Makes a folder of which no reader, and no crash, ever meets half; one that is there stays as it is.

    While another process makes one in the same place, this one waits and then takes what it made. What was
    left by one that was killed is removed.

    Args:
        folder: Which one; the folders above it are made if they are missing.
        fill: Called with an empty folder beside it, which takes its name when all is written.

    Raises:
        OSError: If it cannot be written.
    """
    if folder.exists():
        return
    with _alone(folder.parent):
        if folder.exists():
            return
        _remove_leftovers(folder)
        part = folder.with_name(f".{folder.name}.{uuid4().hex}")
        part.mkdir()
        try:
            fill(part)
            _publish(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


@contextmanager
def refuse_damage(folder: Path) -> Iterator[None]:
    """Says of a folder that cannot be read as it was made what to do about it.

    Raises:
        ValueError: If a file of it is missing or not what it should be.
    """
    try:
        yield
    except (EOFError, FileNotFoundError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder}: it is damaged ({error}); delete it, and it is made anew.") from None


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(lock_folder(place))
            except FolderInUseError:
                time.sleep(_AGAIN)
            else:
                break
        yield


def _remove_leftovers(folder: Path) -> None:
    if os.name == "nt":
        return  # there are no locks there: another process may be filling them
    for leftover in folder.parent.glob(f".{glob.escape(folder.name)}.*"):
        if leftover.is_dir():
            shutil.rmtree(leftover)


def _publish(part: Path, folder: Path) -> None:
    # One flush of everything: a folder may hold 200,000 files, and each takes a moment by itself.
    if hasattr(os, "sync"):
        os.sync()
    try:
        part.rename(folder)
    except OSError:
        # Where there are no locks, another process may have been first.
        if not folder.exists():
            raise
    sync_folder(folder.parent)
