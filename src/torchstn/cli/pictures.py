"""The pictures of a finished run: what it does to digits, what that does to their means, how it got there."""

from pathlib import Path

import torch
from torch import Tensor

from ..figures import class_means, curves, paper_figure, save_figure
from ..figures.saving import MNIST_CREDIT
from ..recipes.distorted_mnist import load_run
from ..training import Run
from .looking import fixed_pictures, look


def draw_run(
    run: Path,
    folder: Path,
    *,
    count: int = 10,
    seed: int | None = None,
    wrong: bool = False,
    data_dir: Path | None = None,
) -> list[Path]:
    """Draws every picture there is of a finished run.

    Args:
        run: Its folder.
        folder: Where the pictures go: digits.png, means.png (with a transformer), curves.png.
        count: Digits in digits.png.
        seed: Picks other digits; None takes them evenly spaced.
        wrong: Show only digits that the network takes for another.
        data_dir: The MNIST files; default, where the run found them.

    Returns:
        The pictures.

    Raises:
        ValueError: If the run has not finished, its data is missing, or `wrong` and it errs nowhere.
    """
    config, model = load_run(run)
    images, labels = fixed_pictures(config, data_dir)
    seen = look(model, images)
    predictions = torch.tensor(seen.predictions)
    pool = (predictions != labels).nonzero().flatten() if wrong else torch.arange(len(labels))
    if len(pool) == 0:
        raise ValueError(f"{run} takes no digit of its {len(labels):,} for another; leave --wrong away.")
    chosen = pick(pool, count, seed)
    figure = paper_figure(
        images[chosen],
        None if seen.grids is None else seen.grids[chosen],
        None if seen.outputs is None else seen.outputs[chosen],
        predictions[chosen].tolist(),
        labels[chosen].tolist(),
    )
    drawn = [save_figure(figure, folder / "digits.png", credit=MNIST_CREDIT)]
    if seen.outputs is not None:
        means = class_means(images, seen.outputs, labels)
        drawn.append(save_figure(means, folder / "means.png", credit=MNIST_CREDIT))
    records = Run(run).metrics.read()
    if records:
        drawn.append(save_figure(curves(records), folder / "curves.png"))
    return drawn


def pick(pool: Tensor, count: int, seed: int | None) -> Tensor:
    """`count` of the pool: evenly spaced (so one of each class where it is sorted), or random by a seed."""
    count = min(count, len(pool))
    if seed is None:
        return pool[pick_evenly(len(pool), count)]
    return pool[torch.randperm(len(pool), generator=torch.Generator().manual_seed(seed))[:count]]


def pick_evenly(total: int, count: int) -> Tensor:
    """`count` places of `total`, evenly spaced."""
    return torch.arange(count) * total // count
