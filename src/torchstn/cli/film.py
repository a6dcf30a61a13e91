"""Watches a training from outside and keeps what the transformers do to a few samples after each epoch."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from matplotlib.figure import Figure
from torch import nn

from ..figures.film import film_bytes
from ..grid import Grid
from ..recipes.networks import DigitClassifier
from ..recipes.registry import RECIPES
from ..recipes.training_config import TrainingConfig
from ..training import Metrics, Run, atomic_write
from .choosing import pick_evenly
from .drawings import Sheet, drawing_of
from .looking import Look, gather, look

_LONGEST = 40


class Film:
    """What the transformers of a run see at the start and after each epoch, kept beside the run's metrics.

    A moment is the transformers' parameters and the predicted classes; the rest follows from them. So a
    training that is resumed goes on with the film it had begun.

    Args:
        config: What is trained.
        folder: The run.
        count: Samples in the picture.

    Raises:
        ValueError: If the model has no transformer, or there is no picture of its recipe.
    """

    def __init__(self, config: TrainingConfig, folder: Path, count: int = 8) -> None:
        self._config, self._drawing = config, drawing_of(config.recipe)
        recipe = RECIPES[config.recipe]
        samples = recipe.load(config)
        self._model = cast(DigitClassifier, recipe.build_model(config.untrained(), samples.classes).eval())
        if not self._model.transformers:
            raise ValueError(f"{config.cell} has no transformer that could be filmed.")
        self._images, labels = gather(samples.held_out(), pick_evenly(len(samples), count))
        self._labels: list[int] = labels.tolist()
        self._classes = samples.classes
        self._start = look(self._model, self._images)
        self._moments = Metrics(folder / "film.jsonl")
        done = Run(folder).latest_checkpoint()
        self._moments.truncate(0 if done is None else done.step)

    def take(self, record: Mapping[str, Any], model: nn.Module) -> None:
        """Keeps what a model does; a listener of the training."""
        self._model.load_state_dict(model.state_dict())
        seen = look(self._model, self._images)
        theta = [grid.theta.tolist() for grid in seen.grids if grid.theta is not None]
        probabilities = seen.probabilities.tolist()
        self._moments.append({"step": record["step"], "theta": theta, "probabilities": probabilities})

    def save(self, path: Path) -> Path:
        """Writes the film as a GIF, of a long training as many moments as one likes to watch."""
        atomic_write(path, film_bytes(self._frames()))
        return path

    def _frames(self) -> Iterator[tuple[int, Figure]]:
        yield 0, self._draw(self._start)
        moments = self._moments.read()
        # Counted from the end, so that the last is among them.
        shown = len(moments) - 1 - pick_evenly(len(moments), _LONGEST)
        for moment in (moments[k] for k in shown.flip(0).tolist()):
            yield moment["step"], self._draw(self._seen(moment))

    def _draw(self, seen: Look) -> Figure:
        return self._drawing.samples(self._config, Sheet(seen, self._labels, classes=self._classes))

    @torch.no_grad()
    def _seen(self, moment: Mapping[str, Any]) -> Look:
        grids, outputs = [], []
        for transformer, theta in zip(self._model.transformers, moment["theta"], strict=True):
            size = tuple(self._images.shape[2:])
            grid: Grid = transformer.transform(
                torch.tensor(theta),
                transformer.size or size,
                input_size=size,
                align_corners=transformer.align_corners,
            )
            grids.append(grid)
            outputs.append(transformer.sampler(self._images, grid))
        joined = torch.cat(outputs, 1)
        probabilities = torch.tensor(moment["probabilities"])
        return Look(self._images, tuple(grids), joined, self._model.pool(joined), probabilities)
