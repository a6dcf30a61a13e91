"""The pictures of a finished run: what it does to what it reads, and how it got there."""

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from ..figures import curves, save_figure
from ..figures.saving import CUB_CREDIT, MNIST_CREDIT, SVHN_CREDIT
from ..recipes.finished import Finished, load_run, load_samples
from ..recipes.samples import Samples
from ..training import Run
from .choosing import Wanted
from .digit_pictures import draw_digits
from .house_numbers import draw_numbers

Drawer = Callable[[Finished, Samples, Wanted, tuple[Finished, Samples] | None], dict[str, Figure]]
"""Of a run and what it is judged by, the samples wanted, and another run to compare with: figures by name."""

_DRAWERS: dict[str, tuple[Drawer, str]] = {
    "birds": (draw_digits, CUB_CREDIT),
    "svhn": (draw_numbers, SVHN_CREDIT),
}
"""Of recipes that are not about digits of MNIST, with whose the pictures are."""


def draw_run(
    run: Path,
    folder: Path,
    *,
    wanted: Wanted | None = None,
    against: Path | None = None,
    data_dir: Path | None = None,
) -> list[Path]:
    """Draws every picture there is of a finished run.

    Args:
        run: Its folder.
        folder: Where the pictures go; curves.png is always one of them.
        wanted: Which samples to draw.
        against: Folder of another run. Only what that one takes for another and this one reads rightly is
            then drawn.
        data_dir: Folder of the data; default, where the run found it.

    Returns:
        The pictures.

    Raises:
        ValueError: If a run has not finished, its data is missing, there is no picture of its recipe, it has
            no samples of that choice, or the two runs were judged by different samples.
    """
    finished = load_run(run)
    samples = load_samples(finished.config, data_dir)
    rival = None if against is None else load_run(against)
    other = None if rival is None else (rival, load_samples(rival.config, data_dir))
    draw, credit = _DRAWERS.get(finished.recipe.name, (draw_digits, MNIST_CREDIT))
    figures = draw(finished, samples, wanted or Wanted(), other)
    drawn = [save_figure(figure, folder / f"{name}.png", credit=credit) for name, figure in figures.items()]
    records = Run(run).metrics.read()
    if records:
        drawn.append(save_figure(curves(records), folder / "curves.png"))
    return drawn
