"""A bar on a terminal while many files are gone through."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .plainly import err, is_main_process


@contextmanager
def scanning(title: str) -> Iterator[Callable[[int, int], None]]:
    """Shows how far a work is; yields what is called as progress(done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = not (err.is_terminal and is_main_process())
    with Progress(*columns, console=err, disable=hidden, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
