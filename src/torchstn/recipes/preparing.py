"""How the preparation of data tells where it stands; one that finds all done says nothing."""

import os

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Preparing:
    """Shows a bar on a terminal, a line elsewhere, from the first call on; a context manager.

    Of several processes the first one speaks.

    Args:
        title: What is being done.
        console: Where to write; default, standard error.
    """

    def __init__(self, title: str, console: Console | None = None) -> None:
        self._title = title
        self._console = console or Console(stderr=True)
        self._quiet = os.environ.get("RANK", "0") != "0"
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        hidden = self._quiet or not self._console.is_terminal
        self._bar = Progress(*columns, console=self._console, disable=hidden)
        self._task: TaskID | None = None

    def __enter__(self) -> "Preparing":
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """So many are done, of so many."""
        if self._task is None:
            self._task = self._bar.add_task(self._title, total=total)
            self._bar.start()
            if not (self._quiet or self._console.is_terminal):
                self._console.print(f"{self._title}: {total}", highlight=False, soft_wrap=True)
        self._bar.update(self._task, completed=done)
