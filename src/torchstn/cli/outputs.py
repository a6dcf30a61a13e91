"""Where a command is to write: looked at before the work begins, so that none of it is lost."""

import os
from collections.abc import Sequence
from pathlib import Path

from .plainly import nearest, no_folder

PNG = (".png",)
"""How pictures end."""


def check_folder(folder: Path, name: str = "--out") -> None:
    """Refuses a folder that can be neither written to nor made.

    It is not made yet: a refusal that comes later leaves nothing behind.

    Args:
        folder: Where a command is to write.
        name: What its user calls it.

    Raises:
        ValueError: If a file is in the way, or the folder may not be written to.
    """
    there = nearest(folder)
    if not there.is_dir():
        raise ValueError(f"{name}: {no_folder(there)}")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ValueError(f"{name}: {there} may not be written to; name another place.")


def check_file(path: Path, name: str = "--out", *, endings: Sequence[str] = ()) -> None:
    """Refuses a file that cannot be written.

    Args:
        path: The file.
        name: What its user calls it.
        endings: Those it may have; default, any.

    Raises:
        ValueError: If it ends otherwise, is a folder, or its own folder is refused.
    """
    if endings and path.suffix.lower() not in endings:
        raise ValueError(f"{name} must end in {' or '.join(endings)}, got {path}.")
    if path.is_dir():
        raise ValueError(f"{name}: {path} is a folder where a file is needed; name a file in it.")
    check_folder(path.parent, name)
