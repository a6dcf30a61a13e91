"""How a training tells where it stands: a bar on a terminal, one line an epoch elsewhere."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch import nn

Listener = Callable[[Mapping[str, Any], nn.Module], None]
"""`listener(record, model)` after each epoch: its record, and the model to use as it is then."""


class Reporter:
    """Shows the steps of one training; a context manager.

    Args:
        title: What is being trained.
        total: Steps in all.
        done: Steps that an earlier process made.
        enabled: False says nothing at all, as all but the main process should.
        console: Where to write; default, standard error.
    """

    def __init__(
        self, title: str, total: int, done: int = 0, *, enabled: bool = True, console: Console | None = None
    ) -> None:
        self.console = console or Console(stderr=True)
        self.enabled = enabled
        self._title = title
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[metrics]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not (enabled and self.console.is_terminal),
        )
        self._task = self._bar.add_task(title, total=total, completed=done, metrics="")

    def __enter__(self) -> "Reporter":
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def step(self) -> None:
        """One more step is done."""
        self._bar.advance(self._task)

    def epoch(self, record: Mapping[str, Any]) -> None:
        """An epoch is done; shows what it came to, but for what is grouped under a name ("group/name")."""
        text = "  ".join(
            f"{name} {value:.4g}"
            for name, value in record.items()
            if isinstance(value, float) and "/" not in name and name not in ("seconds", "learning_rate")
        )
        self._bar.update(self._task, metrics=text)
        if self.enabled and not self.console.is_terminal:
            self.console.print(
                f"{self._title}  epoch {record['epoch']}  step {record['step']}  {text}  "
                f"{record['seconds']:.0f} s",
                highlight=False,
                soft_wrap=True,
            )
