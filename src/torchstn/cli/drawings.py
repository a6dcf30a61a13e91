"""What there is to draw of each recipe's runs."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from ..figures import addition_figure, class_means, paper_figure
from ..recipes.straightness import Straightness
from .looking import Look


class Drawing(NamedTuple):
    """How to draw a recipe's samples.

    Attributes:
        name: Of the picture's file.
        samples: Draws what a network made of some samples, and their true classes.
    """

    name: str
    samples: Callable[[Look, Sequence[int] | None], Figure]


def drawing_of(recipe: str) -> Drawing:
    """How to draw the samples of a recipe.

    Raises:
        ValueError: If there is nothing to draw of it.
    """
    if recipe not in _DRAWINGS:
        raise ValueError(f"there is no picture of {recipe} yet, only of {', '.join(_DRAWINGS)}.")
    return _DRAWINGS[recipe]


def draw_means(found: Straightness) -> Figure:
    """The mean digit of each class, before and after each transformer, in each channel."""
    transformers, channels = found.after.shape
    shares = [*found.before.tolist(), *found.after.flatten().tolist()]
    names = ["input", *(["output"] if transformers == 1 else _numbered("output", transformers))]
    places = [""] if channels == 1 else [f", {name}" for name in _numbered("channel", channels)]
    labels = [f"{name}{place}" for name in names for place in places]
    rows = {
        f"{label}\n{share:.0%} explained": means
        for label, share, means in zip(labels, shares, found.means.flatten(0, 1), strict=True)
    }
    return class_means(rows)


def _numbered(name: str, count: int) -> list[str]:
    return [f"{name} {k + 1}" for k in range(count)]


def _draw_digits(seen: Look, labels: Sequence[int] | None) -> Figure:
    grids = seen.grids[0] if seen.grids else None
    return paper_figure(seen.images, grids, seen.outputs, seen.predictions, labels)


def _draw_pairs(seen: Look, labels: Sequence[int] | None) -> Figure:
    return addition_figure(seen.images, seen.outputs, seen.predictions, labels)


_DRAWINGS = {
    "distorted-mnist": Drawing("digits", _draw_digits),
    "mnist-addition": Drawing("pairs", _draw_pairs),
}
