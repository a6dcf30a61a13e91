"""How far a model's transformers bring the digits of a class to one pose, in each channel they warp."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .networks import DigitClassifier

DIGITS = 10


class Straightness(NamedTuple):
    """How much of the variance between pictures is explained by which digit they show, in [0, 1].

    The sum of squares between the classes over the total one (eta squared), over all pixels of a channel.
    Digits in every place and pose explain next to nothing; the straighter, the more. Contrast does not change
    it, and shrinking every digit to a dot gains nothing, as the classes become one.

    Attributes:
        before: (c,) for each channel of the pictures.
        after: (transformers, c) for each channel of what each transformer makes of them.
        means: (1 + transformers, c, 10, h, w), the mean of each class in each channel, before and after.
    """

    before: Tensor
    after: Tensor
    means: Tensor


@torch.no_grad()
def straightness(model: DigitClassifier, batches: Iterable[tuple[Tensor, Tensor]]) -> Straightness:
    """Measures a model.

    Args:
        model: With transformers or without.
        batches: Pictures (b, c, h, w), and the digit (b, c) in each channel. Of volumes (b, c, d, h, w) the
            sums over depth are compared.
    """
    sums = squares = members = torch.zeros(())
    for pictures, digits in batches:
        views = [pictures]
        if model.transformer is not None:
            device = next(model.transformer.parameters(), pictures).device
            views.append(model.transformer(pictures.to(device)).cpu())
        views = [_alike(view, views[-1]) for view in views]
        stages = torch.cat(views, 1).unflatten(1, (-1, pictures.shape[1])).double()  # (b, stages, c, h, w)
        chosen = functional.one_hot(digits, DIGITS).double()  # (b, c, 10)
        sums = sums + torch.einsum("bschw,bck->sckhw", stages, chosen)
        squares = squares + stages.square().sum((0, 3, 4))
        members = members + chosen.sum(0)
    return _straightness(sums, squares, members)


def _alike(view: Tensor, last: Tensor) -> Tensor:
    """A view as pictures (b, c, h, w) of the size of the last one."""
    flat = view.sum(2) if view.ndim == 5 else view
    h, w = last.shape[-2:]
    return flat if flat.shape[-2:] == (h, w) else functional.adaptive_avg_pool2d(flat, (h, w))


def _straightness(sums: Tensor, squares: Tensor, members: Tensor) -> Straightness:
    """Of sums by class (s, c, 10, h, w), the sum of squares (s, c), and how many each class has (c, 10)."""
    of_all = sums.sum(2).square().sum((2, 3)) / members.sum(1)
    of_classes = (sums.square().sum((3, 4)) / members.clamp(min=1)).sum(2)
    share = (of_classes - of_all) / (squares - of_all).clamp(min=1e-12)
    return Straightness(share[0], share[1:], (sums / members.clamp(min=1)[:, :, None, None]).float())
