"""Call: how one library solves one case."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..case import Case


def same(value: Any) -> Any:
    """What is taken as it is."""
    return value


@dataclass(frozen=True)
class Call:
    """How one library solves one case.

    Each library gets the image and the parameters in the form its own users have them in: what `take_image`
    and `take_parameter` do is not timed.

    Attributes:
        run: image, parameter -> output, in the library's own forms; this is timed.
        take_image: The image as the library takes it.
        take_parameter: The parameter as the library takes it; differentiable, so that gradients can be
            compared.
        give: The output as (n, c, *size).
        differentiable: Whether it has gradients.
    """

    run: Callable[[Any, Any], Any]
    take_image: Callable[[Tensor], Any] = same
    take_parameter: Callable[[Tensor], Any] = same
    give: Callable[[Any], Tensor] = same
    differentiable: bool = True


Peer = Callable[[Case], Call]
"""How a library solves a case. ImportError where it is missing, NotImplementedError for what it lacks."""
