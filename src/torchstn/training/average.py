"""A running average of the weights, which is smoother than the last step."""

import copy
from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor, nn


class WeightAverage:
    """The exponential moving average of a model's weights.

    After step `t` (from 1) the average moves towards the weights by `1 - d`, with
    `d = min(decay, t / (t + 9))`, so that the start, where the weights mean nothing yet, is
    forgotten quickly. Buffers of real numbers do the same, the statistics of batch norm above all: those of
    the last weights do not fit the average. Other buffers are copied, and so are those that are not finite to
    begin with, such as masks of minus infinity.

    Args:
        model: The model to follow.
        decay: What is kept at each step, in [0, 1); 0 follows the weights exactly.

    Raises:
        ValueError: If `decay` is out of range.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"`decay` must lie in [0, 1), got {decay}.")
        self.model = copy.deepcopy(model).requires_grad_(False).eval()
        self.decay = decay
        self._averaged = [
            tensor.is_floating_point() and bool(tensor.isfinite().all()) for tensor in _tensors(self.model)
        ]

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Moves the average towards the model's weights after a step.

        Args:
            model: The model that was followed.
            step: Steps made so far, this one included.
        """
        kept = min(self.decay, step / (step + 9))
        averages: list[Tensor] = []
        values: list[Tensor] = []
        for averaged, average, value in zip(
            self._averaged, _tensors(self.model), _tensors(model), strict=True
        ):
            if averaged:
                averages.append(average)
                values.append(value)
            else:
                average.copy_(value)
        torch._foreach_lerp_(averages, values, 1 - kept)


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    return chain(model.parameters(), model.buffers())
