"""The pictures of a finished run: what it does to digits, what that does to their means, how it got there."""

from pathlib import Path

import torch
from torch import Tensor

from ..figures import curves, save_figure
from ..figures.saving import MNIST_CREDIT
from ..recipes.finished import Finished, held_out_digits, load_run
from ..recipes.straightness import straightness
from ..training import Run
from .choosing import pick
from .drawings import Sheet, draw_boxes, draw_means, drawing_of
from .looking import gather, held_out, look, survey


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
        data_dir: The MNIST files; default, where the run found them.

    Returns:
        The pictures.

    Raises:
        ValueError: If a run has not finished, its data is missing, there is no picture of its recipe, it has
            no samples of that choice, or the two runs were judged by different samples.
    """
    finished = load_run(run)
    if against is None:
        sheet = _sheet(finished, count, choose, seed, data_dir)
    else:
        sheet = _sheet_against(finished, load_run(against), count, seed, data_dir)
    recipe, config, model = finished
    drawing = drawing_of(recipe.name)
    figures = {drawing.name: drawing.samples(config, sheet)}
    if model.transformers:
        found = straightness(model, recipe.digits_shown(config, held_out_digits(config, data_dir)))
        figures["means"] = draw_means(found)
        if sheet.seen.images.ndim == 4:
            figures["boxes"] = draw_boxes(sheet)
    drawn = [
        save_figure(figure, folder / f"{name}.png", credit=MNIST_CREDIT) for name, figure in figures.items()
    ]
    records = Run(run).metrics.read()
    if records:
        drawn.append(save_figure(curves(records), folder / "curves.png"))
    return drawn


def _sheet(finished: Finished, count: int, choose: str, seed: int | None, data_dir: Path | None) -> Sheet:
    seen = survey(finished.model, held_out(finished.config, data_dir))
    images, labels = gather(held_out(finished.config, data_dir), pick(seen, count, choose, seed))
    return Sheet(look(finished.model, images), labels.tolist())


def _sheet_against(
    finished: Finished, other: Finished, count: int, seed: int | None, data_dir: Path | None
) -> Sheet:
    """The samples that the other run alone takes for another, and over each what it takes it for."""
    seen, missed = (survey(run.model, held_out(run.config, data_dir)) for run in (finished, other))
    _check_same(seen.labels, missed.labels)
    chosen = pick(seen, count, "against", seed, missed)
    images, labels = gather(held_out(finished.config, data_dir), chosen)
    _check_same(images, gather(held_out(other.config, data_dir), chosen)[0])
    network = other.config.cell.rpartition("/")[2]
    above = [f"{network}: {prediction}" for prediction in missed.predictions[chosen].tolist()]
    return Sheet(look(finished.model, images), labels.tolist(), above)


def _check_same(ours: Tensor, theirs: Tensor) -> None:
    if not torch.equal(ours, theirs):
        raise ValueError("the two runs were judged by different samples; name one of the same experiment.")
