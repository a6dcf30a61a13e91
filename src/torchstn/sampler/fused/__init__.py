"""What all fused kernels share: how a request is described, refused, recorded for autograd and traced."""

from .calls import sample as sample
from .contract import Engine as Engine
from .guards import refusal as refusal

__all__ = ["Engine", "refusal", "sample"]
