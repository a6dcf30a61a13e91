"""Where the transformers of a training look on a few held-out pictures, kept after each epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..recipes.images import Config, PictureClassifier, Pictures, build_model
from ..recipes.images.looking import Seen, look, outlines
from ..training import Metrics, Run

COUNT = 12


class Looks:
    """A listener of a training. What it keeps lies beside the run's metrics: a resumed one goes on with it.

    Args:
        config: What is trained.
        pictures: Its data.
        folder: The run.
    """

    def __init__(self, config: Config, pictures: Pictures, folder: Path) -> None:
        self._moments = Metrics(folder / "looks.jsonl")
        self._side = config.size
        self._model: PictureClassifier = build_model(config.untrained(), pictures.classes).eval()
        self._places = shown_places(pictures)
        done = Run(folder).latest_checkpoint()
        self._moments.truncate(-1 if done is None else done.step)
        self._images = pictures.canvases.read(self._places)[0]
        if done is None:
            self._append(0, look(build_model(config, pictures.classes).eval(), self._images))

    def take(self, record: Mapping[str, Any], model: nn.Module) -> None:
        """Keeps where a model looks."""
        self._model.load_state_dict(model.state_dict())
        self._append(record["step"], look(self._model, self._images))

    def _append(self, step: int, seen: Seen) -> None:
        sure, named = seen.probabilities.max(1)
        self._moments.append(
            {
                "step": step,
                "outlines": rounded(seen, self._side),
                "named": named.tolist(),
                "sure": [round(value, 4) for value in sure.tolist()],
            }
        )


def rounded(seen: Seen, side: int) -> list[list[list[list[float]]]]:
    """The outlines of a batch, by picture and view, in tenths of a pixel."""
    if not seen.grids:
        return [[] for _ in seen.probabilities]
    found = torch.stack([outlines(grid, side) for grid in seen.grids], 1)
    return [[[[round(x, 1), round(y, 1)] for x, y in view] for view in views] for views in found.tolist()]


def shown_places(pictures: Pictures, count: int = COUNT) -> list[int]:
    """The held-out pictures that the report follows: of each class in turn."""
    by_class: list[list[int]] = [[] for _ in pictures.classes]
    for place in pictures.held.tolist():
        by_class[int(pictures.labels[place])].append(place)
    return _in_turn(by_class)[:count]


def _in_turn(groups: Sequence[Sequence[int]]) -> list[int]:
    longest = max(map(len, groups))
    return [group[k] for k in range(longest) for group in groups if k < len(group)]
