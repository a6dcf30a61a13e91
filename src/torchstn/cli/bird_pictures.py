"""What networks on birds do: each transformer's box in a colour of its own, and what it shows its network."""

from collections.abc import Sequence
from textwrap import fill

from matplotlib.figure import Figure

from ..figures import box_figure, paper_figure
from ..recipes.finished import Finished
from ..recipes.samples import Samples
from .choosing import Wanted, pick
from .digit_pictures import check_same
from .looking import gather, look, survey

_BROAD = 17  # letters
_SIDE = 1.5


def draw_birds(
    finished: Finished, samples: Samples, wanted: Wanted, other: tuple[Finished, Samples] | None
) -> dict[str, Figure]:
    """The picture by name: birds, with a box for each transformer, or as they are if there is none.

    Arguments and refusals are those of `draw_digits`.
    """
    seen, missed = survey(finished.model, samples.held_out()), None
    if other is not None:
        missed = survey(other[0].model, other[1].held_out())
        check_same(seen.labels, missed.labels)
    images, labels = gather(samples.held_out(), pick(seen, wanted, missed))
    sight = look(finished.model, images)
    read, truth = (_names(samples.classes, places) for places in (sight.predictions, labels.tolist()))
    if sight.outputs is None:
        return {"birds": paper_figure(images, None, None, read, truth)}
    parts = sight.outputs.chunk(len(sight.grids), 1)
    return {"birds": box_figure(images, sight.grids, parts, read, truth, side=_SIDE)}


def _names(classes: Sequence[str], places: Sequence[int]) -> list[str]:
    return [fill(classes[place], _BROAD) for place in places]
