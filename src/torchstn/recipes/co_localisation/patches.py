"""Random patches of each image: the loss's negatives, and where to look first."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ... import sample, transform
from ...data import Draws
from .localiser import START
from .loss import MARGIN, squared_distances

Describe = Callable[[Tensor], Tensor]
_PARTNERS = 32
_SHIFTS = 8


@dataclass(frozen=True, eq=False)
class Patches:
    """Patches of each of n images, p of each.

    Attributes:
        theta: (n, p, 3) windows of scale 1/3 at random places fully inside the image.
        descriptors: (n, p, d).
    """

    theta: Tensor
    descriptors: Tensor


@torch.no_grad()
def cut_patches(pictures: Tensor, describe: Describe, *, count: int, crop: int, seed: int) -> Patches:
    """Cuts and describes random patches.

    Args:
        pictures: (n, c, side, side).
        describe: Crops (b, c, crop, crop) to descriptors (b, d).
        count: Patches an image.
        crop: Side of a crop.
        seed: The same one gives the same patches.
    """
    n, side = len(pictures), pictures.shape[-1]
    # As far as the window's edges, not the centres of its corner pixels, stay inside.
    room = (side - START * (side - 1) * crop / (crop - 1)) / (side - 1)
    drawn = Draws(seed, 0, np.arange(n)).uniform("patch", 2 * count, -room, room)
    place = torch.from_numpy(drawn).float().view(n, count, 2)
    theta = torch.cat((torch.full((n, count, 1), START), place), 2).to(pictures.device)
    window = transform.Attention()
    described = []
    for picture, its in zip(pictures, theta, strict=True):
        grid = window(its, (crop, crop), input_size=(side, side), align_corners=True)
        described.append(describe(sample(picture[None], grid)))
    return Patches(theta, torch.stack(described))


@torch.no_grad()
def search(patches: Patches, *, rounds: int, seed: int) -> Tensor:
    """Which patch of each image has the least loss beside those of the others: equation (8), patch by patch.

    Begins with a random patch of each. In each round every patch of an image is judged as if it were the
    transformer's crop, beside the present choice in 32 other images, and the best is chosen.

    Args:
        patches: To choose from.
        rounds: How often each image chooses anew.
        seed: Of the first choice, of partners and negatives.

    Returns:
        (n,) the number of each image's patch.
    """
    n, p, _ = patches.descriptors.shape
    every = patches.descriptors.flatten(0, 1)
    norms = every.square().sum(1, keepdim=True)
    image = torch.arange(n, device=every.device).repeat_interleave(p)
    chosen = _integers(seed, 0, n, p).to(every.device)
    for turn in range(1, rounds + 1):
        draws = Draws(seed, turn, np.arange(n))
        others = torch.from_numpy(np.argsort(draws.uniform("partner", 1)[:, 0])[:_PARTNERS]).to(every.device)
        negatives = _integers(seed, turn, n, p).to(every.device)
        near, far = (
            norms + d.square().sum(1) - 2 * every @ d.T
            for d in (patches.descriptors[others, pick[others]] for pick in (chosen, negatives))
        )
        steps = range(0, len(others), max(1, len(others) // _SHIFTS))
        hinge = torch.stack([F.relu(near - far.roll(step, 1) + MARGIN) for step in steps]).mean(0)
        foreign = image[:, None] != others
        loss = (hinge * foreign).sum(1) / foreign.sum(1)
        chosen = loss.view(n, p).argmin(1)
    return chosen


@torch.no_grad()
def prefers(candidates: Tensor, crops: Tensor, negatives: Tensor) -> Tensor:
    """Which candidates have a lower loss beside the crops of the other images than the images' own crops.

    Args:
        candidates: (b, d) descriptors, one an image.
        crops: (b, d) of what the transformer cuts out.
        negatives: (b, d) of random patches.

    Returns:
        (b,) bool.
    """
    others = ~torch.eye(len(crops), dtype=torch.bool, device=crops.device)

    def judged(mine: Tensor) -> Tensor:
        far = (mine - negatives).square().sum(1, keepdim=True)
        return (F.relu(squared_distances(mine, crops) - far + MARGIN) * others).sum(1)

    return judged(candidates) < judged(crops)


def _integers(seed: int, turn: int, n: int, stop: int) -> Tensor:
    return torch.from_numpy(Draws(seed, turn, np.arange(n)).integers("choice", 1, stop)[:, 0])
