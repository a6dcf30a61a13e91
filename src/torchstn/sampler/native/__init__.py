"""The compiled CPU backend: whether it is there, what it can run, and how a request is put to it."""

from .backend import sample as sample
from .extension import missing as missing
from .extension import place as place
from .guards import refusal as refusal

__all__ = ["missing", "place", "refusal", "sample"]
