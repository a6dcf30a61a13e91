"""Which data a command works on."""

from collections.abc import Callable
from pathlib import Path

from .plainly import note

Finder = Callable[[Path | None, str], Path | None]
"""A recipe's `find_data`."""


def data_folder(find: Finder, given: Path | None, preset: str) -> Path | None:
    """What a recipe finds; whoever gets the few embedded digits unasked is told how to get all of them.

    Raises:
        ValueError: If the data is not there.
    """
    found = find(given, preset)
    if found is None and preset != "demo":
        note("MNIST is not here: taking 5,000 of its digits. For all 70,000: torchstn data get mnist")
    return found
