"""Options that several commands take, and those of a few names: in any case, listed when unknown."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Annotated, Any

import typer

Threads = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="Threads to compute with; 0 leaves it to torch. 1 is quicker beside other work.",
    ),
]
"""How a command without a config lets its user say so."""


def flag(*names: str, **more: Any) -> Any:
    """A `typer.Option` that takes no value; the help would name one all the same, `<bool>`."""
    return typer.Option(*names, metavar="", **more)


def one_of(names: Iterable[str]) -> Callable[[str | None], str | None]:
    """A callback for an option: gives the name as it is spelt, or refuses with all names that exist."""
    known = {name.lower(): name for name in names}

    def check(given: str | None) -> str | None:
        if given is None:
            return None
        if given.lower() in known:
            return known[given.lower()]
        near = get_close_matches(given.lower(), known, n=1)
        hint = f" Did you mean {known[near[0]]}?" if near else ""
        raise typer.BadParameter(f"it must be one of {', '.join(known.values())}, got {given!r}.{hint}")

    return check


def listed(names: Iterable[str]) -> str:
    """The names as the help shows them."""
    return "|".join(names)
