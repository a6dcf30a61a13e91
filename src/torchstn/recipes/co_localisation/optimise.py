"""The optimisation: images in, a window on each out, by equation (8) alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from ... import SpatialTransformer
from ...data import Draws
from ...training import Metrics, Part, Reporter, Run, Settings, fit, warm_cosine
from .config import Optimisation
from .localiser import localiser
from .loss import triplet_loss
from .patches import Describe, Patches, cut_patches, prefers, search

_STEPS_AN_EPOCH = 10
_JUDGED_BY = 10


@dataclass(frozen=True, eq=False)
class Found:
    """What an optimisation came to.

    Attributes:
        theta: (n, 3) the window on each image: scale and centre.
        losses: (n,) equation (8) of each image, beside all others and ten patches of its own.
        transformer: That says so.
        moments: Steps and the windows after them, from the start on.
        steps: Of the optimiser, of all attempts.
        seconds: Spent optimising, by all attempts.
    """

    theta: Tensor
    losses: Tensor
    transformer: SpatialTransformer
    moments: list[tuple[int, Tensor]]
    steps: int
    seconds: float

    @property
    def loss(self) -> float:
        """The mean over the images."""
        return self.losses.mean().item()


@dataclass(frozen=True)
class _Batches:
    """Random images, and one patch of each as the negative: functions of (seed, epoch, batch)."""

    images: int
    batch: int
    patches: int
    seed: int
    per_epoch: int = _STEPS_AN_EPOCH

    def __call__(self, epoch: int, batch: int, part: int, parts: int) -> Part:
        draws = Draws(self.seed, epoch * self.per_epoch + batch, np.arange(self.images))
        places = np.argsort(draws.uniform("order", 1)[:, 0], kind="stable")[: self.batch]
        negatives = draws.integers("negative", 1, self.patches)[places, 0]
        mine = slice(part, None, parts)
        return Part((torch.from_numpy(places[mine]), torch.from_numpy(negatives[mine])), self.batch)


@dataclass(frozen=True, eq=False)
class _Task:
    """What does not change while one set of images is looked at."""

    pictures: Tensor
    seen: Tensor
    describe: Describe
    patches: Patches
    crop: int


def co_localise(
    pictures: Tensor,
    describe: nn.Module,
    choices: Optimisation,
    folder: Path,
    *,
    seen: Tensor | None = None,
    crop: int = 28,
    title: str = "",
    progress: bool = True,
) -> Found:
    """Finds what images have in common, or goes on where an earlier process stopped.

    Args:
        pictures: (n, c, side, side), n at least 2.
        describe: Crops (b, c, crop, crop) to descriptors (b, d), differentiable.
        choices: How to look.
        folder: Each attempt is a run below it, with checkpoints.
        seen: (n, c, side, side), what the localisation network sees of each; default, the picture.
        crop: Side of a crop in pixels.
        title: Of the progress display.
        progress: Whether there is one.

    Returns:
        The attempt of least loss. Neither boxes nor labels have any part in it.
    """
    accelerator = Accelerator(cpu=choices.device == "cpu" or not torch.cuda.is_available())
    pictures, describe = pictures.to(accelerator.device), describe.to(accelerator.device)
    patches = cut_patches(pictures, describe, count=choices.patches, crop=crop, seed=choices.seed)
    task = _Task(pictures, pictures if seen is None else seen.to(pictures), describe, patches, crop)
    tried = [
        _attempt(task, choices, k, folder / f"attempt-{k}", accelerator, f"{title} {k + 1}", progress)
        for k in range(choices.attempts)
    ]
    best = min(tried, key=lambda one: one.loss)
    return replace(best, steps=sum(one.steps for one in tried), seconds=sum(one.seconds for one in tried))


def _attempt(
    task: _Task,
    choices: Optimisation,
    number: int,
    folder: Path,
    accelerator: Accelerator,
    title: str,
    progress: bool,
) -> Found:
    seed = choices.seed * 1000 + number
    n, channels, side, _ = task.pictures.shape
    wanted = None
    if choices.rounds:
        chosen = search(task.patches, rounds=choices.rounds, seed=seed)
        each = torch.arange(n, device=chosen.device)
        wanted = task.patches.theta[each, chosen], task.patches.descriptors[each, chosen]
    transformer = localiser(
        channels,
        side,
        task.crop,
        stride=choices.stride,
        hidden=choices.hidden,
        growth=choices.growth,
        seed=seed,
    )
    transformer = transformer.to(accelerator.device)
    moments = _Moments(folder, transformer, task.seen)
    fitted = fit(
        transformer,
        torch.optim.AdamW(transformer.parameters(), lr=choices.learning_rate, weight_decay=0.0),
        _Batches(n, min(choices.batch, n), choices.patches, seed),
        partial(_objective, task=task, choices=choices, wanted=wanted),
        Run(folder),
        Settings(choices.iterations, seed, checkpoint_seconds=choices.checkpoint_seconds),
        accelerator=accelerator,
        schedule=warm_cosine(choices.iterations, choices.warm_up),
        reporter=partial(Reporter, title, enabled=progress),
        listener=moments.take,
    )
    theta, losses = _judge(task, transformer)
    return Found(theta, losses, transformer, moments.read(), fitted.steps, fitted.seconds)


def _objective(
    transformer: nn.Module,
    places: Tensor,
    negatives: Tensor,
    *,
    task: _Task,
    choices: Optimisation,
    wanted: tuple[Tensor, Tensor] | None,
) -> dict[str, Tensor]:
    crops, grid = transformer(task.seen[places], task.pictures[places], return_grid=True)
    described = task.describe(crops)
    patches = task.patches.descriptors[places, negatives]
    triplet = triplet_loss(described, patches, held=choices.partner == "held")
    if wanted is None:
        return {"loss": triplet, "triplet": triplet}
    theta, descriptors = (of_all[places] for of_all in wanted)
    better = prefers(descriptors, described.detach(), patches)
    distance = (grid.theta - theta).square().sum(1)
    return {"loss": triplet + choices.pull * distance * better, "triplet": triplet, "pulled": better.float()}


@torch.no_grad()
def _judge(task: _Task, transformer: SpatialTransformer) -> tuple[Tensor, Tensor]:
    crops, grid = transformer(task.seen, task.pictures, return_grid=True)
    assert grid.theta is not None
    described = task.describe(crops)
    some = task.patches.descriptors[:, :_JUDGED_BY].unbind(1)
    return grid.theta.cpu(), torch.stack([triplet_loss(described, one) for one in some]).mean(0).cpu()


class _Moments:
    """The windows after each epoch, kept in the run so that a resumed one has them too."""

    def __init__(self, folder: Path, transformer: SpatialTransformer, seen: Tensor) -> None:
        self._file, self._seen = Metrics(folder / "windows.jsonl"), seen
        checkpoint = Run(folder).latest_checkpoint()
        if checkpoint is None:
            self._file.truncate(-1)
            self.take({"step": 0}, transformer)
        else:
            self._file.truncate(checkpoint.step)

    @torch.no_grad()
    def take(self, record: Mapping[str, Any], transformer: nn.Module) -> None:
        """Keeps what the transformer says now; a listener of the training."""
        theta = cast(SpatialTransformer, transformer).theta(self._seen)
        self._file.append({"step": record["step"], "theta": theta.tolist()})

    def read(self) -> list[tuple[int, Tensor]]:
        return [(one["step"], torch.tensor(one["theta"])) for one in self._file.read()]
