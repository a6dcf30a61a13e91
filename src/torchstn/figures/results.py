"""The results of trained cells, read from results/**/*.json and checked."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

_FIELDS: dict[str, tuple[type, ...]] = {
    "recipe": (str,),
    "cell": (str,),
    "seed": (int,),
    "metric": (str,),
    "value": (int, float),
    "paper": (int, float, type(None)),
    "parameters": (int,),
    "preset": (str,),
    "images_seen": (int,),
    "wall_seconds": (int, float),
    "machine": (str, dict),
    "commit": (str, type(None)),
    "data": (str, dict),
    "command": (str,),
}
_COLUMNS = ("none", "r", "rts", "p", "e", "tc")
_ROWS = ("fcn", "cnn", "st-fcn", "st-cnn")


@dataclass(frozen=True)
class Result:
    """One trained cell and seed."""

    recipe: str
    row: str
    column: str
    seed: int
    metric: str
    value: float
    paper: float | None
    parameters: int
    preset: str
    images_seen: int
    wall_seconds: float
    commit: str
    command: str

    @property
    def place(self) -> tuple[int, str, int, str]:
        """Sorts columns and rows as the paper's table has them, unknown ones last by name."""
        column, networks = self.column.lower(), [name for name in _ROWS if self.row.startswith(name)]
        return (
            _COLUMNS.index(column) if column in _COLUMNS else len(_COLUMNS),
            column,
            _ROWS.index(networks[0]) if networks else len(_ROWS),
            self.row,
        )


def read_results(folder: Path) -> list[Result]:
    """Reads every result below a folder, in the order the tables show them.

    Args:
        folder: Holds <recipe>/<preset>/<cell>/seed-<k>.json.

    Returns:
        The results; none if the folder does not exist.

    Raises:
        ValueError: If a file is not a result; the message names the file and the field.
    """
    found = [_read(path) for path in sorted(folder.rglob("seed-*.json"))]
    return sorted(found, key=lambda one: (one.recipe, one.preset, one.place, one.seed))


def _read(path: Path) -> Result:
    try:
        record: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as broken:
        raise ValueError(f"{path}: not JSON ({broken}).") from None
    wrong = _what_is_wrong(record)
    if wrong:
        raise ValueError(f"{path}: {wrong}.")
    column, _, row = record["cell"].rpartition("/")
    taken = {field.name: record[field.name] for field in fields(Result) if field.name in record}
    taken["commit"] = record["commit"] or ""
    return Result(row=row, column=column.upper() if column in _COLUMNS[1:] else column or "all", **taken)


def _what_is_wrong(record: Any) -> str | None:
    if not isinstance(record, dict):
        return "a result must be a JSON object"
    for name, types in _FIELDS.items():
        if name not in record:
            return f"the field {name!r} is missing"
        if not isinstance(record[name], types) or isinstance(record[name], bool):
            return f"the field {name!r} must not be {record[name]!r}"
    return None
