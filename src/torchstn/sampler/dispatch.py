"""Which backend samples: the fastest that can, or the one asked for, or an error with the reasons."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from . import native, reference, triton
from .layout import layout_of
from .request import Request


@dataclass(frozen=True)
class Backend:
    """One implementation of the sampler.

    Attributes:
        name: As passed to `sample`.
        find_place: Says where it runs; asked only of a backend that is not missing.
        find_missing: Why it cannot run at all in this installation, or None.
        refusal: Why it cannot run a request, or None.
        sample: Runs a request: (n, c, *out) in the type and, for channels_last images, layout of the image.
    """

    name: str
    find_place: Callable[[], str]
    find_missing: Callable[[], str | None]
    refusal: Callable[[Request], str | None]
    sample: Callable[[Request], Tensor]

    @property
    def runs_on(self) -> str:
        """Where it runs, for people."""
        return self.find_place()

    @property
    def missing(self) -> str | None:
        """Why it cannot run at all in this installation, or None."""
        return self.find_missing()


def _reference(request: Request) -> Tensor:
    output = reference.sample(
        request.image,
        request.coordinates,
        request.kernel,
        request.padding,
        request.fill,
        request.align_corners,
    )
    if torch._C._are_functorch_transforms_active():
        return output  # vmap cannot be asked for a layout
    return output.contiguous(memory_format=layout_of(request.image))


BACKENDS = [
    Backend("native", native.place, native.missing, native.refusal, native.sample),
    Backend("triton", triton.place, triton.missing, triton.refusal, triton.sample),
    Backend(
        "reference",
        lambda: "every device and type, every derivative",
        lambda: None,
        lambda _: None,
        _reference,
    ),
]
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
        for backend in BACKENDS:
            if _why_not(backend, request) is None:
                return backend
    for backend in BACKENDS:
        if backend.name == name:
            reason = _why_not(backend, request)
            if reason is not None:
                raise ValueError(f"`backend` {name!r} cannot run this: {reason}; use 'auto'.")
            return backend
    raise ValueError(f"`backend` must be one of {', '.join(map(repr, backend_names()))}, got {name!r}.")


def _why_not(backend: Backend, request: Request) -> str | None:
    return backend.find_missing() or backend.refusal(request)
