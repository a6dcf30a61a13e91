"""How answers are compared with labels, one class to a sample or one to each of its positions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .samples import Samples


@dataclass(frozen=True)
class Metric:
    """What the table of results says of a training, in per cent.

    Attributes:
        name: With "error" in it less is better, else more.
        counts_right: Whether it is what is right that counts, not what is wrong.
    """

    name: str = "error"
    counts_right: bool = False

    def of(self, error: float) -> float:
        """The number that a share of wrong answers comes to."""
        return 100 - error if self.counts_right else error


ERROR, ACCURACY = Metric(), Metric("accuracy", counts_right=True)


def cross_entropy(_: Any, logits: Tensor, labels: Tensor) -> Mapping[str, Tensor]:
    """The objective of a classifier, summed over positions, and its errors in per cent.

    Args:
        logits: (b, classes), or (b, k, classes) of k positions.
        labels: (b,), or (b, k).

    Returns:
        "loss" and "error", (b,) each; a sample of several positions is right where all of them are.
    """
    losses = functional.cross_entropy(logits.float().movedim(-1, 1), labels, reduction="none")
    return {"loss": _of_samples(losses).sum(1), "error": 100.0 * wrong(logits, labels)}


def wrong(logits: Tensor, labels: Tensor) -> Tensor:
    """Which samples are taken for something else, (b,), at any of their positions."""
    return _of_samples(logits.argmax(-1) != labels).any(1)


def _of_samples(values: Tensor) -> Tensor:
    """(b, k) of values (b,) or (b, k)."""
    return values.unsqueeze(-1).flatten(1)


@torch.no_grad()
def score(samples: Samples, model: nn.Module) -> dict[str, Any]:
    """Judges a model by the samples that are held out.

    Returns:
        `error` in per cent, the `count` of samples, and `confusion`, whose row is the class and whose column
        is what it was taken for; of several positions all are counted.
    """
    device = next(model.parameters()).device
    count = mistakes = 0
    confusion = torch.zeros((), dtype=torch.int64)
    model.eval()
    for inputs, labels in samples.held_out():
        logits = model(inputs.to(device)).cpu()
        count, mistakes = count + len(labels), mistakes + int(wrong(logits, labels).sum())
        confusion = confusion + _confusion(logits, labels)
    right = count - mistakes
    return {"error": 100 * (1 - right / count), "count": count, "confusion": confusion.tolist()}


def _confusion(logits: Tensor, labels: Tensor) -> Tensor:
    classes = logits.shape[-1]
    pairs = labels.flatten() * classes + logits.argmax(-1).flatten()
    return torch.bincount(pairs, minlength=classes**2).view(classes, classes)


def error_sums(samples: Samples, model: nn.Module, part: int, parts: int) -> Mapping[str, float]:
    """The sums behind the error on held-out samples, over one process's share; see `training.Evaluation`."""
    mistakes = count = 0
    device = next(model.parameters()).device
    for inputs, labels in samples.held_out(part, parts):
        mistakes += int(wrong(model(inputs.to(device)).cpu(), labels).sum())
        count += len(labels)
    return {"validation_error": 100.0 * mistakes, "count": count}
