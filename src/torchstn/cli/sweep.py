"""A work on many files that several processes share and that goes on where it was broken off."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from ..training import Metrics, atomic_write


class Sweep:
    """What is found of each file, kept line by line beside the file that will hold all of it.

    Start it again with the same arguments, in as many processes as one likes: what is done is not done again.

    Args:
        target: The JSON file that is written at the end.
        files: All files there are to do.
        purpose: Whatever the rows depend on beside the file; rows of another purpose are not taken up.
    """

    def __init__(self, target: Path, files: Sequence[str], purpose: Mapping[str, Any]) -> None:
        self.target, self.files = target, files
        self._state = _processes()
        key = hashlib.sha256(json.dumps(purpose, sort_keys=True, default=str).encode()).hexdigest()[:12]
        self._pattern = f".{target.name}.{key}-*.part"
        self._mine = Metrics(target.parent / self._pattern.replace("*", str(self._state.process_index)))
        done = self._rows()
        self._state.wait_for_everyone()  # nobody writes before everybody has read
        self._mine.truncate(len(files))
        share = range(self._state.process_index, len(files), self._state.num_processes)
        self.left = [files[place] for place in share if files[place] not in done]

    def add(self, row: Mapping[str, Any]) -> None:
        """Keeps what was found of a file; the row names it as "file"."""
        self._mine.append({"step": 0, **row})

    def finish(self) -> list[dict[str, Any]] | None:
        """Waits for all processes; the main one writes all rows, in the order of the files, and gets them."""
        self._state.wait_for_everyone()
        if not self._state.is_main_process:
            return None
        found = self._rows()
        rows = [found[file] for file in self.files if file in found]
        atomic_write(self.target, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
        for part in self.target.parent.glob(self._pattern):
            part.unlink()
        return rows

    def _rows(self) -> dict[str, dict[str, Any]]:
        rows = {}
        for part in sorted(self.target.parent.glob(self._pattern)):
            for row in Metrics(part).read():
                rows[row["file"]] = {name: value for name, value in row.items() if name != "step"}
        return rows


def _processes() -> PartialState:
    # Without the word of it, several processes without a GPU would each think to be the only one.
    return PartialState(cpu=not torch.cuda.is_available())


def is_alone() -> bool:
    """Whether this is the only process."""
    return _processes().num_processes == 1


def device() -> torch.device:
    """Where this process computes: its GPU, if it has one."""
    found: torch.device = _processes().device
    return found
