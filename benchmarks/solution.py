"""Solution: a library's call on one problem, ready to be checked and to be timed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .case import Case, Pass
from .peers import Call
from .problem import Problem


class DisagreementError(Exception):
    """Two results that should be the same are not, so their times mean nothing."""


@dataclass(frozen=True)
class Gradients:
    """Output and gradients in the form everyone is compared in; None where there are none."""

    output: Tensor
    image: Tensor | None
    parameter: Tensor | None


class Solution:
    """A call with its inputs already in its own form.

    Args:
        call: How the library solves the case.
        problem: The inputs.
    """

    def __init__(self, call: Call, problem: Problem) -> None:
        self.call = call
        self._problem = problem
        with torch.no_grad():
            self._image = call.take_image(problem.image)
            self._parameter = call.take_parameter(problem.parameter)
        if call.differentiable:
            self._leaves = [value.detach().requires_grad_() for value in (self._image, self._parameter)]

    def timed(self, which: Pass) -> Callable[[], Any] | None:
        """What is timed, or None if the library does not do it."""
        if which == "forward":
            return self.forward
        return self.forward_and_backward if self.call.differentiable else None

    def forward(self) -> Any:
        """The output, from inputs that want no gradient."""
        return self.call.run(self._image, self._parameter)

    def forward_and_backward(self) -> tuple[Tensor | None, ...]:
        """The gradients of image and parameters."""
        output = self.call.run(*self._leaves)
        return torch.autograd.grad(output, self._leaves, self._problem.grad_output, allow_unused=True)

    def compared(self) -> Gradients:
        """Output and gradients with respect to the problem's own image and parameter."""
        call, problem = self.call, self._problem
        if not call.differentiable:
            return Gradients(call.give(self.forward()), None, None)
        image = problem.image.detach().requires_grad_()
        parameter = problem.parameter.detach().requires_grad_()
        output = call.run(call.take_image(image), call.take_parameter(parameter))
        gradients = torch.autograd.grad(output, [image, parameter], problem.grad_output, allow_unused=True)
        return Gradients(
            output.detach(), *(torch.zeros(()) if each is None else each.detach() for each in gradients)
        )


def solve(case: Case, solution: Solution) -> Gradients:
    """Output and gradients, once the plain forward pass has been shown to give the same output.

    Raises:
        DisagreementError: If it does not, so that what is checked would not be what is timed.
    """
    result = solution.compared()
    if not torch.allclose(solution.call.give(solution.forward()).float(), result.output.float(), atol=1e-3):
        raise DisagreementError(f"{case.name}: the output changes when gradients are wanted.")
    return result
