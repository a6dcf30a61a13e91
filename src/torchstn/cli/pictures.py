"""The pictures of a finished run: what it does to digits, what that does to their means, how it got there."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..figures import curves, save_figure
from ..figures.saving import MNIST_CREDIT
from ..recipes.finished import held_out_digits, load_run
from ..recipes.straightness import straightness
from ..training import Run
from .drawings import draw_means, drawing_of
from .looking import Survey, fixed_pictures, look, survey

CHOICES = ("even", "wrong", "far")
_FAR = 0.9


def draw_run(
    run: Path,
    folder: Path,
    *,
    count: int = 10,
    choose: str = "even",
    seed: int | None = None,
    data_dir: Path | None = None,
) -> list[Path]:
    """Draws every picture there is of a finished run.

    Args:
        run: Its folder.
        folder: Where the pictures go: digits.png or pairs.png, means.png (with a transformer), curves.png.
        count: Samples in the first.
        choose: Which samples: "even", evenly spaced over the set; "wrong", among those taken for another;
            "far", one of each class in turn, among those that are read rightly and moved far.
        seed: Picks other digits.
        data_dir: The MNIST files; default, where the run found them.

    Returns:
        The pictures.

    Raises:
        ValueError: If the run has not finished, its data is missing, there is no picture of its recipe, or
            it has no samples of that choice.
    """
    recipe, config, model = load_run(run)
    drawing = drawing_of(recipe.name)
    images, labels = fixed_pictures(config, data_dir)
    chosen = pick(survey(model, images), labels, count, choose, seed)
    figure = drawing.samples(look(model, images[chosen]), labels[chosen].tolist())
    drawn = [save_figure(figure, folder / f"{drawing.name}.png", credit=MNIST_CREDIT)]
    if model.transformers:
        found = straightness(model, recipe.digits_shown(config, held_out_digits(config, data_dir)))
        drawn.append(save_figure(draw_means(found), folder / "means.png", credit=MNIST_CREDIT))
    records = Run(run).metrics.read()
    if records:
        drawn.append(save_figure(curves(records), folder / "curves.png"))
    return drawn


def pick(seen: Survey, labels: Tensor, count: int, choose: str, seed: int | None) -> Tensor:
    """Which digits to draw; see `draw_run`."""
    right = seen.predictions == labels
    if choose == "even":
        return _some(torch.arange(len(labels)), count, seed)
    if choose == "wrong":
        return _some(_places(~right, "it takes no digit for another"), count, seed)
    if seen.moved is None:
        raise ValueError("the network has no transformer that could move a digit; choose even or wrong.")
    far = []
    for label in sorted(set(labels.tolist())):
        of_class = _places(right & (labels == label), f"it reads no {label} rightly")
        order = of_class[seen.moved[of_class].argsort()]
        far.append(_some(order[int(_FAR * len(order)) :], -(-count // 10), seed))
    return _in_turn(far)[:count]


def pick_evenly(total: int, count: int) -> Tensor:
    """`count` places of `total`, evenly spaced; all of them if there are no more."""
    count = min(count, total)
    return torch.arange(count) * total // max(count, 1)


def _some(pool: Tensor, count: int, seed: int | None) -> Tensor:
    """Evenly spaced, so one of each class where the pool is sorted by class; or at random by a seed."""
    if seed is None:
        return pool[pick_evenly(len(pool), count)]
    return pool[torch.randperm(len(pool), generator=torch.Generator().manual_seed(seed))[:count]]


def _places(which: Tensor, if_none: str) -> Tensor:
    places = which.nonzero().flatten()
    if len(places) == 0:
        raise ValueError(f"there is nothing to choose from: {if_none}.")
    return places


def _in_turn(groups: Sequence[Tensor]) -> Tensor:
    """The first of each group, then the second of each, and so on."""
    rounds = max(map(len, groups))
    return torch.stack([group[k] for k in range(rounds) for group in groups if k < len(group)])
