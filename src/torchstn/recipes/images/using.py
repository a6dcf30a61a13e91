"""A finished run asked about pictures of any folder, a batch at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...data.canvas import Frame, read_canvas
from ...grid import Grid
from .config import Config
from .data import FILL, canvases_of
from .looking import corners, crops_of, look, outlines
from .model import PictureClassifier

_BATCH = 32
_LARGEST = 4096


class Answer(NamedTuple):
    """What a model says of one picture.

    Attributes:
        file: Its name.
        probabilities: (classes,).
        grids: What each view shows, each a batch of one.
        frame: How the picture lies in the square that the model saw.
    """

    file: str
    probabilities: Tensor
    grids: tuple[Grid, ...]
    frame: Frame


class Refusal(NamedTuple):
    """Why a picture cannot be read."""

    file: str
    why: str


def answers(
    model: PictureClassifier, config: Config, folder: Path, files: Sequence[str]
) -> Iterator[Answer | Refusal]:
    """What a model says of each of these files, in their order, and which cannot be read."""
    canvases = canvases_of(config, folder, files, keep=0)
    for places, found in canvases.stream(_BATCH):
        whole = [k for k, one in enumerate(found) if not isinstance(one, str)]
        seen = look(model, torch.stack([found[k][0] for k in whole])) if whole else None  # type: ignore[misc]
        rows = {k: row for row, k in enumerate(whole)}
        for k, (place, one) in enumerate(zip(places, found, strict=True)):
            if isinstance(one, str):
                yield Refusal(files[place], one)
                continue
            assert seen is not None
            row = rows[k]
            yield Answer(
                files[place], seen.probabilities[row], tuple(grid[row] for grid in seen.grids), one[1]
            )


def described(answer: Answer, classes: Sequence[str], side: int, *, boxes: bool = True) -> dict[str, Any]:
    """An answer as JSON holds it, coordinates in pixels of the picture as it is shown upright.

    `views` holds, for each transformer, `corners`: of what it shows, upper left first and clockwise; and
    `box`: the smallest upright one around that, within the picture.
    """
    sure, named = answer.probabilities.max(0)
    row: dict[str, Any] = {
        "file": answer.file,
        "class": classes[int(named)],
        "probability": round(float(sure), 6),
        "probabilities": {
            name: round(value, 6) for name, value in zip(classes, answer.probabilities.tolist(), strict=True)
        },
    }
    if boxes:
        row["size"] = {"width": answer.frame.size[1], "height": answer.frame.size[0]}
        row["views"] = [_view(outlines(grid, side), answer.frame) for grid in answer.grids]
    return row


def _view(outline: Tensor, frame: Frame) -> dict[str, Any]:
    low, high = outline[0].aminmax(dim=0)
    box = frame.to_image(torch.cat([low, high]))
    return {
        "corners": _rounded(frame.to_picture(corners(outline)[0])),
        "box": [round(edge, 1) for edge in box.tolist()],
    }


def _rounded(points: Tensor) -> list[list[float]]:
    return [[round(x, 1), round(y, 1)] for x, y in points.tolist()]


def straightened(answer: Answer, config: Config, path: Path, side: int) -> Tensor:
    """What each view shows of a picture, (views, 3, side, side) uint8, read as finely as its file allows.

    Args:
        answer: What the model says of it.
        config: The run's.
        path: The file.
        side: Of the views.
    """
    edges = [corners(outlines(grid, config.size))[0] for grid in answer.grids]
    shortest = min(float((edge - edge.roll(1, 0)).norm(dim=1).mean()) for edge in edges)
    # A pixel of the square to one of the view: coarser would blur, finer would leave some out.
    wanted = config.size * side / max(shortest, 1e-3)
    finest = min(config.size / answer.frame.scale, _LARGEST)
    square, _ = read_canvas(path, max(round(min(wanted, finest)), 1), fit=config.fit, fill=FILL)
    return crops_of(answer.grids, square[None], side)[0]
