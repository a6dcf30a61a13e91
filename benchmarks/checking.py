"""Nothing is timed before values and gradients have been found to agree."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .case import Case
from .solution import DisagreementError, Gradients

# Relative to the length of the vector of all values. Coordinates near 500 pixels are known to about 3e-5 of a
# pixel, and where they cross a pixel line or the image's edge the derivative jumps: whole gradients agree to
# this, single numbers need not.
TOLERANCE = 5e-3
HALF_TOLERANCE = 1e-2  # 16 bits hold two to three digits
NEAREST_TOLERANCE = 2e-2  # there the value itself jumps
LARGEST = 0.05  # of a single output value, whose range is one; a misplaced pixel is off by a third


@dataclass(frozen=True)
class Agreement:
    """How far a peer's results are from ours, relative; None where the peer has no gradient."""

    output: float
    image: float | None
    parameter: float | None


def check(case: Case, ours: Gradients, peer: Gradients, name: str) -> Agreement:
    """How well values and gradients agree.

    Raises:
        DisagreementError: If they do not, within the tolerance.
    """
    limit = _limit(case)
    agreement = Agreement(
        _difference(ours.output, peer.output),
        _optional(ours.image, peer.image),
        _optional(ours.parameter, peer.parameter),
    )
    for part, value in vars(agreement).items():
        if value is not None and not value <= limit:
            raise DisagreementError(
                f"{case.name}: torchstn and {name} differ in the {_PARTS[part]} by {value:.2g} of its size, "
                f"more than {limit:g}."
            )
    if case.kernel != "nearest":
        largest = (ours.output.float() - peer.output.float()).abs().max().item()
        if not largest <= LARGEST:
            raise DisagreementError(
                f"{case.name}: torchstn and {name} differ by {largest:.2g} at one place of the output, "
                f"more than {LARGEST:g}."
            )
    return agreement


def _limit(case: Case) -> float:
    if case.kernel == "nearest":
        return NEAREST_TOLERANCE
    return TOLERANCE if case.dtype == torch.float32 else HALF_TOLERANCE


_PARTS = {"output": "output", "image": "gradient of the image", "parameter": "gradient of the parameters"}


def _optional(ours: Tensor | None, peer: Tensor | None) -> float | None:
    if peer is None:
        return None
    if ours is None:
        raise DisagreementError("torchstn gave no gradient where a peer does.")
    return _difference(ours, peer)


def _difference(ours: Tensor, peer: Tensor) -> float:
    if peer.ndim == 0:  # no gradient at all is a gradient of zeros
        peer = peer.expand(ours.shape)
    if ours.ndim == 0:
        ours = ours.expand(peer.shape)
    if ours.shape != peer.shape:
        raise DisagreementError(f"torchstn gave {tuple(ours.shape)} where a peer gave {tuple(peer.shape)}.")
    distance = float(torch.linalg.vector_norm(ours.double() - peer.double()))
    scale = float(torch.linalg.vector_norm(peer.double()))
    if scale == 0:
        return 0.0 if distance == 0 else float("inf")
    return distance / scale
