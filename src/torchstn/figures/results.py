"""The results of trained cells, read from results/**/*.json and checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .cells import place

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


@dataclass(frozen=True)
class Result:
    """One trained cell and seed."""

    recipe: str
    cell: str
    """The data and what was trained on it, such as "rts/st-cnn-tps"."""
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
    measured: Mapping[str, Any] = field(default_factory=dict)
    """What else was measured of the finished model; not all results have it."""
    judged: int | None = None
    """Samples that the value is a share of; results of early versions do not say."""
    products: str | None = None
    """The type of the networks' products; results of early versions say it where it was chosen by name."""


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
    return sorted(found, key=lambda one: (one.recipe, one.preset, place(one.cell), one.seed))


def is_error(metric: str) -> bool:
    """Whether less of it is better; of everything else more is."""
    return "error" in metric


def read_record(path: Path) -> dict[str, Any]:
    """Reads all that is kept of one result.

    Raises:
        ValueError: If the file is not a result; the message names the file and the field.
    """
    try:
        record: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as broken:
        raise ValueError(f"{path}: not JSON ({broken}).") from None
    wrong = _what_is_wrong(record)
    if wrong:
        raise ValueError(f"{path}: {wrong}.")
    found: dict[str, Any] = record
    return found


def _read(path: Path) -> Result:
    record = read_record(path)
    taken = {item.name: record[item.name] for item in fields(Result) if item.name in record}
    return Result(**{"products": _chosen_products(record)} | taken | {"commit": record["commit"] or ""})


def _chosen_products(record: Mapping[str, Any]) -> str | None:
    chosen = record.get("settings", {}).get("precision")
    return None if chosen == "auto" else chosen


def _what_is_wrong(record: Any) -> str | None:
    if not isinstance(record, dict):
        return "a result must be a JSON object"
    for name, types in _FIELDS.items():
        if name not in record:
            return f"the field {name!r} is missing"
        if not isinstance(record[name], types) or isinstance(record[name], bool):
            return f"the field {name!r} must not be {record[name]!r}"
    judged = record.get("judged")
    if judged is not None and (not isinstance(judged, int) or isinstance(judged, bool) or judged < 1):
        return f"the field 'judged' must not be {judged!r}"
    if not isinstance(record.get("measured", {}), dict):
        return f"the field 'measured' must not be {record['measured']!r}"
    return None
