"""Watches a training from outside and keeps what the transformer does to a few digits after each epoch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ..figures.film import Moment, film_bytes
from ..recipes.networks import DigitClassifier
from ..recipes.registry import RECIPES
from ..recipes.training_config import TrainingConfig
from ..training import Run, atomic_write
from .looking import fixed_pictures, look
from .pictures import pick_evenly


class Film:
    """Takes a moment at the start and after each epoch, from the run's own checkpoints.

    Args:
        config: What is trained; it must have a transformer.
        folder: The run.
        count: Digits in the picture.
    """

    def __init__(self, config: TrainingConfig, folder: Path, count: int = 8) -> None:
        images, labels = fixed_pictures(config)
        chosen = pick_evenly(len(labels), count)
        self.images, self.labels = images[chosen], labels[chosen].tolist()
        self.moments: list[Moment] = []
        self._run = Run(folder)
        self._model = cast(DigitClassifier, RECIPES[config.recipe].build_model(config).eval())
        if not self._run.exists():
            self._see(0)

    def take(self, record: Mapping[str, Any]) -> None:
        """Keeps what the weights of the latest checkpoint do; a listener of the training."""
        checkpoint = self._run.latest_checkpoint()
        if checkpoint is not None:
            self._model.load_state_dict(checkpoint.tensors.get("average", checkpoint.tensors["model"]))
            self._see(record["step"])

    def save(self, path: Path) -> Path:
        """Writes the film as a GIF and gives its path."""
        atomic_write(path, film_bytes(self.images, self.labels, self.moments))
        return path

    def _see(self, step: int) -> None:
        seen = look(self._model, self.images)
        if seen.outputs is not None:
            self.moments.append(Moment(step, seen.grids[0].detach(), seen.outputs, seen.predictions))
