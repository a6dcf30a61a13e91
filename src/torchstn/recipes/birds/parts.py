"""What of a bird lies inside each transformer's box: is one of them a head detector?"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from .data import Birds, corner_of
from .model import SCALE, BirdClassifier

KINDS = {
    "head": ("beak", "crown", "forehead", "left eye", "nape", "right eye", "throat"),
    "body": ("back", "belly", "breast", "left leg", "left wing", "right leg", "right wing", "tail"),
}


@dataclass(frozen=True)
class PartsSeen:
    """How much of the birds' parts of a kind boxes hold, in per cent.

    Attributes:
        held: The share of a bird's visible parts that lie in the box, on the average.
        whole: The share of birds all of whose visible parts do.
        distance: From the box's middle to that of the parts, in per cent of the picture's side.
    """

    held: float
    whole: float
    distance: float


def measure(samples: Birds, model: BirdClassifier) -> Mapping[str, Any]:
    """Heads and bodies inside each transformer's box, over the pictures to be judged by.

    Beside what its box holds ("moving") stands what it would hold had it stayed where it was before training
    ("start"), and at its mean position ("fixed"): a transformer that follows heads holds more of them than
    any box that does not move.

    Returns:
        Under "parts", for each transformer, `PartsSeen` by kind and by how the box moves. Nothing without a
        transformer.
    """
    if not model.transformers:
        return {}
    points, visible = parts_in_pictures(samples)
    report = []
    for where, transformer in zip(_places(samples, model), model.transformers, strict=True):
        ways = middles(where, transformer.transform.start)
        report.append(
            {
                kind: {
                    way: _rounded(parts_seen(points, visible & _is_of(samples, names), middle))
                    for way, middle in ways.items()
                }
                for kind, names in KINDS.items()
            }
        )
    return {"parts": report}


def middles(where: Tensor, start: Tensor) -> dict[str, Tensor]:
    """The middles (n, 2) of boxes, by how they move: as they do, at their mean, at the start (2,)."""
    fixed, start = where.mean(0), start.to(where)
    return {"moving": where, "fixed": fixed.expand_as(where), "start": start.expand_as(where)}


def parts_seen(points: Tensor, visible: Tensor, middle: Tensor, scale: float = SCALE) -> PartsSeen:
    """What boxes hold of some parts; birds none of whose parts are to be seen are left out.

    Args:
        points: (n, k, 2) x and y of n birds' parts, normalised.
        visible: bool (n, k), which of them count.
        middle: (n, 2) of the boxes, normalised.
        scale: Their side, as a share of the picture's.
    """
    some = visible.any(1)
    points, visible, middle = points[some], visible[some], middle[some]
    counts = visible.sum(1)
    inside = ((points - middle[:, None]).abs() <= scale).all(2) & visible
    means = (points * visible[:, :, None]).sum(1) / counts[:, None]
    return PartsSeen(
        held=100 * float((inside.sum(1) / counts).mean()),
        whole=100 * float((inside.sum(1) == counts).float().mean()),
        distance=50 * float((means - middle).norm(dim=1).mean()),
    )


def parts_in_pictures(samples: Birds) -> tuple[Tensor, Tensor]:
    """Where the parts of the birds to be judged by lie in the pictures that a network sees.

    Returns:
        x and y (n, 15, 2), normalised; and bool (n, 15), whether a part is to be seen and in the picture.
    """
    held, side = samples.held, samples.config.side
    stored = torch.tensor([samples.photographs.sizes[k] for k in held.tolist()]).flip(1)
    corners = torch.tensor([[corner_of(length, side, 0.5) for length in size] for size in stored.tolist()])
    parts, scale = samples.cub.parts[held], stored / samples.cub.sizes()[held]
    points = (parts[:, :, :2] * scale[:, None] - corners[:, None]) * (2 / side) - 1
    return points, (parts[:, :, 2] == 1) & (points.abs() <= 1).all(2)


def _rounded(seen: PartsSeen) -> dict[str, float]:
    return {name: round(value, 2) for name, value in asdict(seen).items()}


def _is_of(samples: Birds, names: Sequence[str]) -> Tensor:
    return torch.tensor([name in names for name in samples.cub.part_names])


@torch.no_grad()
def _places(samples: Birds, model: BirdClassifier) -> list[Tensor]:
    """(n, 2) of each transformer, where its boxes' middles lie."""
    device = next(model.parameters()).device
    batches = [
        [grid.theta.cpu() for grid in model.transformed(pictures.to(device))[1] if grid.theta is not None]
        for pictures, _ in samples.held_out()
    ]
    return [torch.cat(thetas) for thetas in zip(*batches, strict=True)]
