"""No distortion: the digits as they are, for comparison."""

from dataclasses import dataclass

from torch import Tensor

from .base import Batch, Distortion


@dataclass(frozen=True)
class Undistorted(Distortion):
    """Gives the digits as they are."""

    def _distort(self, batch: Batch) -> Tensor:
        return batch.digits
