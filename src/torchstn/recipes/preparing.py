"""How the preparation of data tells where it stands; one that finds all done says nothing."""

import os

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Preparing:
    """Shows a bar for each thing that is done on a terminal, a line elsewhere; a context manager.

    Of several processes the first one speaks.

    Args:
        console: Where to write; default, standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._quiet = os.environ.get("RANK", "0") != "0"
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        hidden = self._quiet or not self._console.is_terminal
        self._bar = Progress(*columns, console=self._console, disable=hidden)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Preparing":
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def __call__(self, title: str, done: int, total: int) -> None:
        """Of the thing of this title so many parts are done, of so many."""
        if title not in self._tasks:
            self._tasks[title] = self._bar.add_task(title, total=total)
            self._bar.start()
            if not (self._quiet or self._console.is_terminal):
                self._console.print(f"{title}: {total}", highlight=False, soft_wrap=True)
        self._bar.update(self._tasks[title], completed=done)
