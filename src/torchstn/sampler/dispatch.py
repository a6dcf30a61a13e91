"""Which backend samples: the fastest that can, or the one asked for, or an error with the reasons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from .._types import Padding
from . import reference
from .kernels import BuiltinKernel, Kernel


@dataclass(frozen=True)
class Request:
    """One call of `sample`, its arguments checked.

    Attributes:
        image: (n or 1, c, *size).
        coordinates: d tensors (n or 1, *out), x first, in pixels.
        kernel: The sampling kernel.
        padding: What lies outside the image.
        fill: The value outside with padding "fill": a number, or one per channel (c,).
        align_corners: The grid's convention.
    """

    image: Tensor
    coordinates: Sequence[Tensor]
    kernel: Kernel | BuiltinKernel
    padding: Padding
    fill: Tensor | float
    align_corners: bool


@dataclass(frozen=True)
class Backend:
    """One implementation of the sampler.

    Attributes:
        name: As passed to `sample`.
        runs_on: For people: where it runs.
        missing: Why it cannot run at all in this installation, or None.
        refusal: Why it cannot run a request, or None.
        sample: Runs a request.
    """

    name: str
    runs_on: str
    missing: str | None
    refusal: Callable[[Request], str | None]
    sample: Callable[[Request], Tensor]


def _reference(request: Request) -> Tensor:
    return reference.sample(
        request.image,
        request.coordinates,
        request.kernel,
        request.padding,
        request.fill,
        request.align_corners,
    )


BACKENDS = [Backend("reference", "every device and type, every derivative", None, lambda _: None, _reference)]
"""Fastest first; the last one runs everything."""


def backend_names() -> tuple[str, ...]:
    """What `backend=` accepts."""
    return ("auto", *(backend.name for backend in BACKENDS))


def choose(name: str, request: Request) -> Backend:
    """The backend for a request.

    Raises:
        ValueError: If there is no backend of that name, or the one named cannot run the request; with the
            reason.
    """
    if name == "auto":
        return next(backend for backend in BACKENDS if _why_not(backend, request) is None)
    for backend in BACKENDS:
        if backend.name == name:
            reason = _why_not(backend, request)
            if reason is not None:
                raise ValueError(f"`backend` {name!r} cannot run this: {reason}; use 'auto'.")
            return backend
    raise ValueError(f"`backend` must be one of {', '.join(map(repr, backend_names()))}, got {name!r}.")


def _why_not(backend: Backend, request: Request) -> str | None:
    return backend.missing or backend.refusal(request)
