"""Mistakes and failures become one sentence and an exit code, never a traceback."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console

P = ParamSpec("P")
T = TypeVar("T")

MISTAKE = 2
FAILURE = 1
INTERRUPTED = 130

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def is_main_process() -> bool:
    """Whether this is the process that speaks, of the several a launcher may have started."""
    return os.environ.get("RANK", "0") == "0"


def note(message: str) -> None:
    """Says a sentence on standard error, once however many processes there are."""
    if is_main_process():
        err.print(_literal(message))


def stop(message: str, code: int = MISTAKE) -> NoReturn:
    """Says one sentence on standard error and ends with an exit code."""
    err.print(f"[bold red]Error:[/] {_literal(message)}")
    raise typer.Exit(code)


def plainly(command: Callable[P, T]) -> Callable[P, T]:
    """Wraps a command: what it refuses is said in a sentence. TORCHSTN_TRACEBACK=1 shows where it arose.

    A ValueError is the user's mistake and ends with 2; a file or a network that fails, or a missing
    package, ends with 1; a run that another process is at with 75; Ctrl-C with 130.
    """

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            result = command(*args, **kwargs)
        except typer.Exit:
            _leave_processes()
            raise
        except (ValueError, OSError, ModuleNotFoundError) as refusal:
            if os.environ.get("TORCHSTN_TRACEBACK"):
                raise
            stop(sentence(refusal), _code(refusal))
        except KeyboardInterrupt:
            err.print("Stopped.")
            raise typer.Exit(INTERRUPTED) from None
        _leave_processes()
        return result

    return wrapped


def _leave_processes() -> None:
    """Ends the process group, whose threads can abort an interpreter that ends before them.

    Only of a command that came to its end: after a failure other processes may still wait in the group.
    """
    if "RANK" in os.environ:
        from torch import distributed

        if distributed.is_initialized():
            distributed.destroy_process_group()


def _code(refusal: Exception) -> int:
    if not isinstance(refusal, ValueError):
        return FAILURE
    from ..training import FolderInUseError

    return refusal.exit_code if isinstance(refusal, FolderInUseError) else MISTAKE


def sentence(refusal: Exception) -> str:
    """What went wrong, in one sentence."""
    if isinstance(refusal, ModuleNotFoundError):
        return f'the package {refusal.name} is missing; run pip install "torchstn[all]".'
    if isinstance(refusal, (FileExistsError, NotADirectoryError)) and refusal.filename:
        return no_folder(Path(refusal.filename))
    if isinstance(refusal, OSError) and refusal.strerror:
        place = f"{refusal.filename}: " if refusal.filename else ""
        return f"{place}{refusal.strerror.lower()}."
    # So the readers of data call what is typed as --data-dir.
    return (str(refusal) or type(refusal).__name__).replace("`folder`", "--data-dir")


def no_folder(path: Path) -> str:
    """The sentence for a path that runs through a file."""
    return f"{nearest(path)} is a file where a folder is needed; name another place."


def nearest(path: Path) -> Path:
    """Of a path and the folders it runs through the innermost that is there."""
    return next(place for place in (path, *path.parents) if place.exists())


def _literal(message: str) -> str:
    return message.replace("[", r"\[")
