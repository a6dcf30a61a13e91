"""The pictures of a folder and their classes: by subfolder, or by a table."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_FILE = ("file", "filename", "file_name", "image", "path")
_LABEL = ("label", "class", "category")


class Labelled(NamedTuple):
    """A file and its class.

    Attributes:
        file: Its name below the folder, with "/" between folders.
        label: Its class.
    """

    file: str
    label: str


def list_files(folder: Path) -> list[str]:
    """Every file in a folder and those below it, by name; what begins with a dot is left out.

    Raises:
        ValueError: If it is no folder.
    """
    _check_folder(folder)
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts))


def find_labelled(folder: Path, table: Path | None = None) -> list[Labelled]:
    """The files of a folder with their classes, sorted by name.

    Args:
        folder: Whose subfolders are the classes; pictures may lie deeper in them.
        table: A CSV file with a header that names a column of files (relative to the folder) and one of
            labels; the subfolders then say nothing.

    Raises:
        ValueError: If there is no such folder, it has no subfolder with files, or the table is not as above.
    """
    _check_folder(folder)
    if table is not None:
        return _from_table(table)
    labelled = [Labelled(file, file.partition("/")[0]) for file in list_files(folder) if "/" in file]
    if not labelled:
        raise ValueError(
            f"{folder} must hold a subfolder for each class, with its images in it, and has none; or name a "
            "table of files and labels by --labels CSV."
        )
    return labelled


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise ValueError(f"{folder}: this is not a folder; name one that holds the images.")


def _from_table(table: Path) -> list[Labelled]:
    if not table.is_file():
        raise ValueError(f"{table}: there is no such file; name a CSV of files and labels.")
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{table}: this is not a CSV in UTF-8 ({error}).") from None
    header = list(rows[0]) if rows else []
    file, label = _column(table, header, _FILE), _column(table, header, _LABEL)
    found: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        if not row[file] or not row[label]:
            raise ValueError(f"{table}, line {number}: a file and a label are needed, got {row}.")
        name = Path(row[file].strip()).as_posix()
        if found.setdefault(name, row[label].strip()) != row[label].strip():
            raise ValueError(f"{table}, line {number}: {name} has two labels; one picture has one class.")
    return [Labelled(name, found[name]) for name in sorted(found)]


def _column(table: Path, header: Sequence[str], names: Sequence[str]) -> str:
    known = {str(column).strip().lower(): column for column in header}
    for name in names:
        if name in known:
            return known[name]
    raise ValueError(
        f"{table}: its first line must name a column {' or '.join(names[:2])}, got "
        f"{', '.join(map(str, header)) or 'nothing'}."
    )
