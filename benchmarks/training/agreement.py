"""Both sides compute the same: logits and gradients of the same weights, before anything is timed."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torchstn.data import DISTORTIONS
from torchstn.recipes.distorted_mnist import build_model

from . import tutorial
from .measure import Case

TOLERANCE = 1e-2
"""Of the length of what is compared: usually 1e-6, but a last bit may decide a pooling."""


def difference(case: Case, preset: str, batch: int = 16) -> float:
    """The largest difference of the logits and of any parameter's gradient, relative to its length."""
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(batch, 1, *DISTORTIONS[case.distortion].size, generator=generator)
    labels = torch.randint(10, (batch,), generator=generator)
    ours = build_model(case.config(preset))
    for transformer in ours.transformers:  # away from the identity, where both would only copy
        nn.init.normal_(transformer.head.weight, std=0.02, generator=generator)
        nn.init.normal_(transformer.head.bias, std=0.1, generator=generator)
    theirs = tutorial.Net(ours)
    pairs = zip(_solve(ours, pictures, labels), _solve(theirs, pictures, labels), strict=True)
    return max(float((one - two).norm() / two.norm()) for one, two in pairs)


def _solve(model: nn.Module, pictures: Tensor, labels: Tensor) -> list[Tensor]:
    logits = model(pictures)
    F.cross_entropy(logits, labels).backward()
    return [logits.detach(), *(p.grad for p in model.parameters() if p.grad is not None)]
