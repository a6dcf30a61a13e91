"""The families of transformations by name, bounded so that no transformer loses the picture."""

import math
from collections.abc import Callable

from ... import transform
from ...transform import Transform

Place = tuple[float, tuple[float, float]]
"""A scale and a centre (x, y), normalised."""

WHOLE: Place = (1.0, (0.0, 0.0))


def _affine(place: Place) -> Transform:
    scale, (x, y) = place
    return transform.Affine(max_linear=0.75 * scale, max_shift=1.0, initial=(scale, 0, x, 0, scale, y))


def _attention(place: Place) -> Transform:
    scale, centre = place
    return transform.Attention(
        min_scale=0.2 * scale, max_scale=1.5 * scale, max_shift=1.0, initial=(scale, *centre)
    )


def _projective(place: Place) -> Transform:
    scale, (x, y) = place
    return transform.Projective(
        max_linear=0.75 * scale,
        max_shift=1.0,
        max_perspective=0.4,
        initial=(scale, 0, x, 0, scale, y, 0, 0),
    )


def _similarity(place: Place) -> Transform:
    scale, centre = place
    return transform.Similarity(
        max_scale_change=3.0, max_angle=math.pi, max_shift=1.0, initial=(scale, 0.0, *centre)
    )


FAMILIES: dict[str, Callable[[Place], Transform]] = {
    "affine": _affine,
    "attention": _attention,
    "free-form": lambda place: transform.FreeForm(5, max_displacement=0.5),
    "projective": _projective,
    "rigid": lambda place: transform.Rigid(max_angle=math.pi, max_shift=1.0),
    "similarity": _similarity,
    "tps": lambda place: transform.ThinPlate(4, max_displacement=0.5),
    "translation": lambda place: transform.Attention(scale=place[0], max_shift=1.0, initial=place[1]),
}
"""Each makes a family that starts at a place; `UNSCALED` ones start at the whole picture."""

UNSCALED = ("free-form", "rigid", "tps")


def starts(count: int, zoom: float = 0.0) -> list[Place]:
    """Where the transformers of a picture start: side by side, tiling it; one starts at all of it.

    Args:
        count: How many.
        zoom: The share of the picture's side that each starts with; 0 takes what tiles the picture.
    """
    across = math.ceil(math.sqrt(count))
    down = math.ceil(count / across)
    tiling = 1.0 if count == 1 else 1 / down if down > 1 else 0.5
    scale = zoom or tiling
    centres = []
    for place in range(count):
        row, column = divmod(place, across)
        in_row = min(across, count - row * across)
        centres.append(((2 * column + 1) / in_row - 1, (2 * row + 1) / down - 1))
    return [(scale, _inside(centre, scale)) for centre in centres]


def _inside(centre: tuple[float, float], scale: float) -> tuple[float, float]:
    x, y = (max(min(part, 1 - scale), scale - 1) for part in centre)
    return x, y
