"""A running average of the weights, which is smoother than the last step."""

import copy

import torch
from torch import Tensor, nn


class WeightAverage:
    """The exponential moving average of a model's weights.

    After step `t` (from 1) the average moves towards the weights by `1 - d`, with
    `d = min(decay, t / (t + 9))`, so that the start, where the weights mean nothing yet, is
    forgotten quickly. Buffers are copied.

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

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Moves the average towards the model's weights after a step.

        Args:
            model: The model that was followed.
            step: Steps made so far, this one included.
        """
        kept = min(self.decay, step / (step + 9))
        averages: list[Tensor] = list(self.model.parameters())
        torch._foreach_lerp_(averages, [p.detach() for p in model.parameters()], 1 - kept)
        for average, buffer in zip(self.model.buffers(), model.buffers(), strict=True):
            average.copy_(buffer)
