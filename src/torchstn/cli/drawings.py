"""What there is to draw of each recipe's runs."""

from collections.abc import Callable, Sequence
from textwrap import fill
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from ..figures import addition_figure, box_figure, class_means, paper_figure, volume_figure
from ..recipes.straightness import Straightness
from .looking import Look

_BROAD = 17
"""Letters of a name that fit below a picture of"""
_SIDE = 1.5
"""inches."""


class Sheet(NamedTuple):
    """Some samples to draw.

    Attributes:
        seen: What a network made of them.
        labels: Their true classes; None if unknown.
        above: A line over each, if there is anything to say.
        classes: Their names; none where the number says it.
    """

    seen: Look
    labels: Sequence[int] | None = None
    above: Sequence[str] | None = None
    classes: Sequence[str] = ()

    def name(self, places: Sequence[int]) -> list[str]:
        """What classes are called."""
        return [self.classes[place] if self.classes else str(place) for place in places]


class Drawing(NamedTuple):
    """How to draw a recipe's samples.

    Attributes:
        name: Of the picture's file.
        samples: Draws samples of a run of this config.
    """

    name: str
    samples: Callable[[Any, Sheet], Figure]


def drawing_of(recipe: str) -> Drawing:
    """How to draw the samples of a recipe.

    Raises:
        ValueError: If there is nothing to draw of it.
    """
    if recipe not in _DRAWINGS:
        raise ValueError(f"there is no film of {recipe}, only of {', '.join(_DRAWINGS)}.")
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


def draw_boxes(sheet: Sheet) -> Figure:
    """Where each transformer looks, and what it sees there."""
    seen, outputs = sheet.seen, sheet.seen.outputs
    assert outputs is not None
    return box_figure(
        seen.images, seen.grids, outputs.chunk(len(seen.grids), 1), seen.predictions, sheet.labels
    )


def _draw_digits(config: Any, sheet: Sheet) -> Figure:
    seen = sheet.seen
    grids = seen.grids[0] if seen.grids else None
    turns = config.distortion == "R"  # as the paper prints them
    return paper_figure(
        seen.images, grids, seen.outputs, seen.predictions, sheet.labels, above=sheet.above, turns=turns
    )


def _draw_pairs(_: Any, sheet: Sheet) -> Figure:
    seen = sheet.seen
    return addition_figure(seen.images, seen.outputs, seen.predictions, sheet.labels, above=sheet.above)


def _draw_volumes(_: Any, sheet: Sheet) -> Figure:
    seen = sheet.seen
    grids = seen.grids[0] if seen.grids else None
    pictures = seen.seen if seen.seen.ndim == 4 else None
    return volume_figure(
        seen.images, grids, seen.outputs, pictures, seen.predictions, sheet.labels, above=sheet.above
    )


def _draw_birds(_: Any, sheet: Sheet) -> Figure:
    seen = sheet.seen
    read, truth = (
        None if places is None else [fill(name, _BROAD) for name in sheet.name(places)]
        for places in (seen.predictions, sheet.labels)
    )
    if seen.outputs is None:
        return paper_figure(seen.images, None, None, read, truth, above=sheet.above)
    parts = seen.outputs.chunk(len(seen.grids), 1)
    return box_figure(seen.images, seen.grids, parts, read, truth, above=sheet.above, side=_SIDE)


_DRAWINGS = {
    "birds": Drawing("birds", _draw_birds),
    "distorted-mnist": Drawing("digits", _draw_digits),
    "mnist-addition": Drawing("pairs", _draw_pairs),
    "volumes": Drawing("volumes", _draw_volumes),
}
