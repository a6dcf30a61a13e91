"""The GPU backend: whether it is there, what it can run, and how a request is put to it."""

from torch import Tensor

from .. import fused
from ..request import Request
from .loading import ENGINE
from .loading import missing as missing
from .loading import place as place

__all__ = ["missing", "place", "refusal", "sample"]


def refusal(request: Request) -> str | None:
    """Why the request must go to another backend, or None."""
    return fused.refusal(ENGINE, request)


def sample(request: Request) -> Tensor:
    """Runs a request that was not refused."""
    return fused.sample(ENGINE, request)
