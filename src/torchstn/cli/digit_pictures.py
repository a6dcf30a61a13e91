"""What networks on digits, and birds, do: the paper's figure, means of classes, where transformers look."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ..recipes.finished import Finished
from ..recipes.samples import Samples
from ..recipes.straightness import straightness
from .choosing import Wanted, pick
from .drawings import Sheet, draw_boxes, draw_means, drawing_of
from .looking import gather, look, survey


def draw_digits(
    finished: Finished, samples: Samples, wanted: Wanted, other: tuple[Finished, Samples] | None
) -> dict[str, Figure]:
    """The pictures by name: digits, pairs, volumes or birds; of digits before transformers means and boxes.

    Args:
        finished: The run.
        samples: What it is judged by.
        wanted: Which of them to draw.
        other: Another run and its samples. Only what that one takes for another and this one reads rightly is
            then drawn.

    Raises:
        ValueError: If there are no samples of that choice, or the two runs were judged by different ones.
    """
    recipe, config, model = finished
    sheet = (
        _sheet(finished, samples, wanted)
        if other is None
        else _sheet_against(finished, samples, other, wanted)
    )
    drawing = drawing_of(recipe.name)
    figures = {drawing.name: drawing.samples(config, sheet)}
    if model.transformers and recipe.digits_shown is not None:
        figures["means"] = draw_means(straightness(model, recipe.digits_shown(samples)))
        if sheet.seen.images.ndim == 4:
            figures["boxes"] = draw_boxes(sheet)
    return figures


def _sheet(finished: Finished, samples: Samples, wanted: Wanted) -> Sheet:
    seen = survey(finished.model, samples.held_out())
    images, labels = gather(samples.held_out(), pick(seen, wanted))
    return Sheet(look(finished.model, images), labels.tolist(), classes=samples.classes)


def _sheet_against(
    finished: Finished, samples: Samples, other: tuple[Finished, Samples], wanted: Wanted
) -> Sheet:
    """The samples that the other run alone takes for another, and over each what it takes it for."""
    rival, theirs = other
    seen, missed = survey(finished.model, samples.held_out()), survey(rival.model, theirs.held_out())
    check_same(seen.labels, missed.labels)
    chosen = pick(seen, wanted, missed)
    images, labels = gather(samples.held_out(), chosen)
    check_same(images, gather(theirs.held_out(), chosen)[0])
    network = rival.config.cell.rpartition("/")[2]
    sheet = Sheet(look(finished.model, images), labels.tolist(), classes=samples.classes)
    above = [f"{network}: {name}" for name in sheet.name(missed.predictions[chosen].tolist())]
    return sheet._replace(above=above)


def check_same(ours: Tensor, theirs: Tensor) -> None:
    """Refuses to compare runs that were judged by different samples."""
    if not torch.equal(ours, theirs):
        raise ValueError("the two runs were judged by different samples; name one of the same experiment.")
