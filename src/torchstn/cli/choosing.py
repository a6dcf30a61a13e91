"""Which of very many samples to draw."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .looking import Survey

_FAR = 0.9


@dataclass(frozen=True)
class Wanted:
    """Which samples to draw.

    Attributes:
        count: How many.
        choose: "even", evenly spaced over the set; "wrong", among those taken for another; "far", one of each
            class in turn, among those that are read rightly and moved far.
        seed: Picks other ones.
    """

    count: int = 10
    choose: str = "even"
    seed: int | None = None


def pick(seen: Survey, wanted: Wanted, other: Survey | None = None) -> Tensor:
    """The places of the samples to draw.

    Args:
        seen: What a network made of all of them.
        wanted: Which.
        other: What another network made of them; then those that it takes for another and the first one reads
            rightly, whatever `wanted` says.

    Raises:
        ValueError: If there are none of that choice.
    """
    count, choose, seed = wanted.count, wanted.choose, wanted.seed
    right = seen.predictions == seen.labels
    if other is not None:
        better = right & (other.predictions != seen.labels)
        return _some(
            _places(better, "the other network errs on none that this one reads rightly"), count, seed
        )
    if choose == "even":
        return _some(torch.arange(len(right)), count, seed)
    if choose == "wrong":
        return _some(_places(~right, "it takes nothing for another"), count, seed)
    if seen.moved is None:
        raise ValueError(
            "the network has no transformer that could move anything; leave out --far, or take --wrong."
        )
    far = []
    for label in sorted(set(seen.labels.tolist())):
        of_class = _places(right & (seen.labels == label), f"it reads no {label} rightly")
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
