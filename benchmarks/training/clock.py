"""Clock: where the time of a training step goes."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from torch import Tensor, nn

PARTS = ("data", "transformer", "classifier", "optimiser")
"""In the order of a step. The loss belongs to the classifier; clipping and averaging to the optimiser."""


class Clock:
    """Gives the time since the last mark to a part of the step.

    Args:
        model: With a `transformer`, which may be None. Hooks tell when it has been passed, forward, and when
            the gradient arrives at it and at its parameters.
        now: Seconds.
    """

    def __init__(self, model: nn.Module, now: Callable[[], float] = perf_counter) -> None:
        self.parts = dict.fromkeys(PARTS, 0.0)
        self._now, self._last = now, now()
        transformer = model.transformer
        if isinstance(transformer, nn.Module):
            transformer.register_forward_hook(self._transformed)
        last = "classifier" if transformer is None else "transformer"
        for parameter in (model if transformer is None else transformer).parameters():
            parameter.register_post_accumulate_grad_hook(lambda _: self.mark(last))

    def mark(self, part: str) -> None:
        """The time since the last mark was this part's."""
        now = self._now()
        self.parts[part] += now - self._last
        self._last = now

    def restart(self) -> None:
        """Forgets everything so far."""
        self.parts = dict.fromkeys(PARTS, 0.0)
        self._last = self._now()

    def _transformed(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self.mark("transformer")
        if output.requires_grad:
            output.register_hook(lambda _: self.mark("classifier"))
