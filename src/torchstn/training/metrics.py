"""The metrics of a run: one JSON object a line, appended, never doubled."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .files import atomic_write


class Metrics:
    """A file of JSON lines, each with the `step` it belongs to.

    Args:
        path: The file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, record: Mapping[str, Any]) -> None:
        """Adds one line and flushes it to the disk.

        Args:
            record: What to log; it must hold an integer `step`.

        Raises:
            ValueError: If there is no integer `step`.
        """
        if not isinstance(record.get("step"), int):
            raise ValueError(f"`record` must hold an integer 'step', got {record.get('step')!r}.")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[dict[str, Any]]:
        """Every whole record, oldest first; a line cut off by a crash is left out."""
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
        return [record for record in map(_parse, lines) if record is not None]

    def truncate(self, step: int) -> None:
        """Forgets what was logged after a step, which a resumed training will log again.

        Args:
            step: The last step to keep.
        """
        if self.path.exists():
            kept = [json.dumps(record) + "\n" for record in self.read() if record["step"] <= step]
            atomic_write(self.path, "".join(kept))


def _parse(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except json.JSONDecodeError:
        return None
    whole = isinstance(record, dict) and isinstance(record.get("step"), int)
    return record if whole else None
