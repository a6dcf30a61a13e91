"""Reads digitStruct.mat, the annotation of the official Street View House Numbers (MATLAB 7.3, so HDF5)."""

from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .annotation import Box, House

_FIELDS = ("label", "left", "top", "width", "height")


def read_digit_struct(
    file: BinaryIO, *, name: str = "digitStruct.mat", progress: Callable[[int, int], None] | None = None
) -> list[House]:
    """Reads every photograph's annotation. The file calls the digit zero 10.

    Args:
        file: The open file.
        name: What to call it in a refusal.
        progress: Called as progress(photographs read, photographs in all).

    Raises:
        ValueError: If it is no such file.
        ModuleNotFoundError: If h5py is not installed.
    """
    import h5py  # only who has the official archives needs it

    try:
        with h5py.File(file, "r") as mat:
            names, boxes = mat["digitStruct/name"][:, 0], mat["digitStruct/bbox"][:, 0]
            houses = []
            for k, (text, group) in enumerate(zip(names, boxes, strict=True), 1):
                try:
                    houses.append(_house(mat, _text(mat[text]), mat[group]))
                except (ValueError, OverflowError) as error:
                    raise ValueError(f"{name}, photograph {k}: {error}") from None
                if progress is not None:
                    progress(k, len(names))
            return houses
    except (OSError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{name}: this is not the annotation of SVHN ({error}).") from None


def _house(mat: Any, name: str, group: Any) -> House:
    columns = [_numbers(mat, group[field]) for field in _FIELDS]
    labels, *sides = columns
    boxes = tuple(Box(*map(float, box)) for box in zip(*sides, strict=True))
    return House(name, tuple(int(label) % 10 for label in labels), boxes)


def _numbers(mat: Any, data: Any) -> NDArray[np.float64]:
    """One number a digit; of several digits they are references, of a single one the number itself."""
    values = data[:, 0]
    if values.dtype == object:
        values = np.array([mat[one][0, 0] for one in values])
    return np.asarray(values, dtype=np.float64)


def _text(data: Any) -> str:
    return "".join(map(chr, data[:, 0]))
