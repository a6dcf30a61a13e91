"""The pictures of a finished run: what it does to digits, what that does to their means, how it got there."""

from pathlib import Path

import torch
from torch import Tensor

from ..figures import curves, save_figure
from ..figures.saving import MNIST_CREDIT
from ..recipes.finished import Finished, load_run, load_samples
from ..recipes.samples import Samples
from ..recipes.straightness import straightness
from ..training import Run
from .choosing import pick
from .drawings import Sheet, draw_boxes, draw_means, drawing_of
from .looking import gather, look, survey


def draw_run(
    run: Path,
    folder: Path,
    *,
    count: int = 10,
    choose: str = "even",
    seed: int | None = None,
    against: Path | None = None,
    data_dir: Path | None = None,
) -> list[Path]:
    """Draws every picture there is of a finished run.

    Args:
        run: Its folder.
        folder: Where the pictures go: digits.png, pairs.png or volumes.png; with a transformer means.png and,
            unless it is of volumes, boxes.png; curves.png.
        count: Samples to draw.
        choose: Which samples; see `torchstn.cli.choosing.pick`.
        seed: Picks other ones.
        against: Folder of another run. Only what that one takes for another and this one reads rightly is
            then drawn, whatever `choose` says.
        data_dir: Folder of the data; default, where the run found it.

    Returns:
        The pictures.

    Raises:
        ValueError: If a run has not finished, its data is missing, there is no picture of its recipe, it has
            no samples of that choice, or the two runs were judged by different samples.
    """
    recipe, config, model = finished = load_run(run)
    samples = load_samples(config, data_dir)
    if against is None:
        sheet = _sheet(finished, samples, count, choose, seed)
    else:
        other = load_run(against)
        sheet = _sheet_against(finished, samples, other, load_samples(other.config, data_dir), count, seed)
    drawing = drawing_of(recipe.name)
    figures = {drawing.name: drawing.samples(config, sheet)}
    if model.transformers:
        if recipe.digits_shown is not None:
            figures["means"] = draw_means(straightness(model, recipe.digits_shown(samples)))
        if sheet.seen.images.ndim == 4:
            figures["boxes"] = draw_boxes(sheet)
    drawn = [
        save_figure(figure, folder / f"{name}.png", credit=MNIST_CREDIT) for name, figure in figures.items()
    ]
    records = Run(run).metrics.read()
    if records:
        drawn.append(save_figure(curves(records), folder / "curves.png"))
    return drawn


def _sheet(finished: Finished, samples: Samples, count: int, choose: str, seed: int | None) -> Sheet:
    seen = survey(finished.model, samples.held_out())
    images, labels = gather(samples.held_out(), pick(seen, count, choose, seed))
    return Sheet(look(finished.model, images), labels.tolist())


def _sheet_against(
    finished: Finished, samples: Samples, other: Finished, theirs: Samples, count: int, seed: int | None
) -> Sheet:
    """The samples that the other run alone takes for another, and over each what it takes it for."""
    seen, missed = survey(finished.model, samples.held_out()), survey(other.model, theirs.held_out())
    _check_same(seen.labels, missed.labels)
    chosen = pick(seen, count, "against", seed, missed)
    images, labels = gather(samples.held_out(), chosen)
    _check_same(images, gather(theirs.held_out(), chosen)[0])
    network = other.config.cell.rpartition("/")[2]
    above = [f"{network}: {prediction}" for prediction in missed.predictions[chosen].tolist()]
    return Sheet(look(finished.model, images), labels.tolist(), above)


def _check_same(ours: Tensor, theirs: Tensor) -> None:
    if not torch.equal(ours, theirs):
        raise ValueError("the two runs were judged by different samples; name one of the same experiment.")
