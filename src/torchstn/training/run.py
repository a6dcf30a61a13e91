"""A run is a folder: config.toml, beginning.json, metrics.jsonl, checkpoints, the final weights."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from .checkpoint import Checkpoint, load_weights, read_checkpoint, save_weights, write_checkpoint
from .files import atomic_write, remove_leftovers
from .lock import lock_folder
from .metrics import Metrics

_KEEP = 2
_KINDS: dict[type, str] = {dict: "object", list: "list"}
_Json = TypeVar("_Json", dict[str, Any], list[Any])


class Run:
    """The folder of one training, and the only place that knows its file names.

    Args:
        folder: Where the run lives. Made on the first write.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.metrics = Metrics(self.folder / "metrics.jsonl")
        self._config = self.folder / "config.toml"
        self._checkpoints = self.folder / "checkpoints"
        self._weights = self.folder / "model.safetensors"
        self._best = self.folder / "best.safetensors"
        self._result = self.folder / "result.json"
        self._classes = self.folder / "classes.json"
        self._beginning = self.folder / "beginning.json"
        self._locked = False

    def exists(self) -> bool:
        """Whether the folder already holds a run."""
        return self._config.exists()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps every other process from training in the folder; who has it may ask again.

        Raises:
            ValueError: If another process trains in it; names the folder and the process.
        """
        if self._locked:
            yield
            return
        with lock_folder(self.folder):
            self._locked = True
            try:
                yield
            finally:
                self._locked = False

    @property
    def config(self) -> dict[str, Any]:
        """The settings the run was started with.

        Raises:
            ValueError: If the folder holds no run, or its config is no valid TOML.
        """
        if not self.exists():
            raise ValueError(f"`{self.folder}` holds no run: there is no {self._config.name} in it.")
        try:
            return tomllib.loads(self._config.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"`{self._config}` is no valid TOML: {error}.") from error

    def start(
        self,
        config: Mapping[str, Any],
        classes: Sequence[str] = (),
        beginning: Mapping[str, str | None] | None = None,
    ) -> None:
        """Writes the settings of a new run; what an earlier crash left over is removed.

        Args:
            config: The settings.
            classes: The names of what is told apart, where the run has to keep them.
            beginning: What else was so when it began and need not be so any more when it is resumed.
        """
        self.clean()
        if beginning:
            atomic_write(self._beginning, json.dumps(beginning, indent=2) + "\n")
        if classes:
            atomic_write(self._classes, json.dumps(list(classes), ensure_ascii=False) + "\n")
        atomic_write(self._config, to_toml(config))

    @property
    def classes(self) -> tuple[str, ...]:
        """The names that the run was started with; none where it has to keep none.

        Raises:
            ValueError: If the file is damaged.
        """
        return tuple(map(str, _read_json(self._classes, list) or ()))

    @property
    def beginning(self) -> dict[str, Any]:
        """What else the run was started with; nothing of one from before runs kept it.

        Raises:
            ValueError: If the file is damaged.
        """
        return _read_json(self._beginning, dict) or {}

    def clean(self) -> None:
        """Removes the temporary files of a process that was killed."""
        for folder in (self.folder, self._checkpoints):
            remove_leftovers(folder)

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Writes a checkpoint and drops all but the latest two."""
        write_checkpoint(self._checkpoints / f"step-{checkpoint.step:08d}.safetensors", checkpoint)
        for old in self._checkpoint_files()[:-_KEEP]:
            old.unlink(missing_ok=True)

    def latest_checkpoint(self) -> Checkpoint | None:
        """The state after the most steps, or None if the run has not saved any.

        Raises:
            ValueError: If that file is damaged.
        """
        files = self._checkpoint_files()
        return read_checkpoint(files[-1]) if files else None

    @property
    def latest_step(self) -> int:
        """How many steps that state is after, told without reading it; 0 if there is none."""
        files = self._checkpoint_files()
        return int(files[-1].stem.removeprefix("step-")) if files else 0

    def save_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Writes the final weights, for whoever uses the model."""
        save_weights(self._weights, weights)

    def load_weights(self) -> dict[str, Tensor]:
        """The final weights.

        Raises:
            ValueError: If the run has not ended, or the file is damaged.
        """
        if not self._weights.exists():
            raise ValueError(
                f"`{self.folder}` holds no final weights: its training has not ended. "
                "Resume it, or wait for it."
            )
        return load_weights(self._weights)

    def save_best(self, weights: Mapping[str, Tensor]) -> None:
        """Writes the weights of the best epoch so far."""
        save_weights(self._best, weights)

    def load_best(self) -> dict[str, Tensor]:
        """The weights of the best epoch so far."""
        return load_weights(self._best)

    @property
    def result(self) -> dict[str, Any] | None:
        """What the run came to, or None while it has not ended.

        Raises:
            ValueError: If the file is damaged.
        """
        return _read_json(self._result, dict)

    def save_result(self, record: Mapping[str, Any]) -> None:
        """Writes what the run came to."""
        atomic_write(self._result, json.dumps(record, indent=2) + "\n")

    def _checkpoint_files(self) -> list[Path]:
        files = self._checkpoints.glob("step-*.safetensors")
        return sorted(files, key=lambda path: (len(path.name), path.name))


def _read_json(path: Path, kind: type[_Json]) -> _Json | None:
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"`{path}` is no valid JSON: {error}.") from error
    if not isinstance(record, kind):
        raise ValueError(f"`{path}` must hold a JSON {_KINDS[kind]}, got {json.dumps(record)[:40]}.")
    return record


def to_toml(config: Mapping[str, Any]) -> str:
    """Flat settings as TOML; a value of None is left out.

    Raises:
        TypeError: If a value is neither a string, a number nor a truth value.
    """
    return "".join(
        f"{key} = {_toml_value(key, value)}\n" for key, value in config.items() if value is not None
    )


def _toml_value(key: str, value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str() | Path():
            # JSON and TOML basic strings share their escapes, but for the delete character.
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    raise TypeError(f"`{key}` must be a string, a number or a truth value, got {type(value).__name__}.")
