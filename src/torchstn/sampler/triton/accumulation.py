"""The gradient of the image, to which many programs add: fast, or the same to the bit in every run."""

from collections.abc import Sequence
from math import ceil, log2, prod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..fused.contract import compute_dtype, empty
from ..layout import layout_of
from .configurations import UNFUSED
from .job import Job, pixels
from .kernels.settle import settle
from .memory import Pixels

BLOCK = 1024


class Accumulation(NamedTuple):
    """Where the kernel adds, and how.

    Attributes:
        scatter: "none", "atomic" (sums in floating point) or "fixed" (in whole units, in any order the same).
        image: Where the sums lie.
        finer: A second sum, of what is left below the unit of the first; float64 needs it.
        largest: The largest magnitude in the gradient of the output, of each image.
        exponents: The power of two above that.
        bits: Units in that power of two, as a power of two.
        finer_bits: Finer units in a unit, as a power of two.
    """

    scatter: str
    image: Pixels
    finer: Tensor | None = None
    largest: Tensor | None = None
    exponents: Tensor | None = None
    bits: int = 0
    finer_bits: int = 0

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the kernel is told while it runs."""
        alone = self.exponents is None or self.exponents.shape[0] == 1
        return self.image, self.finer, self.exponents, 0 if alone else 1

    @property
    def known(self) -> dict[str, Any]:
        """What it is compiled for."""
        return {"scatter": self.scatter, "bits": self.bits, "finer_bits": self.finer_bits}

    def gradient(self, image: Tensor) -> Tensor:
        """The sums as the image's gradient."""
        if self.scatter == "atomic":
            return self.image.data.to(image.dtype)
        gradient = empty(image, image.shape, image.dtype)
        count = prod(image.shape[1:])
        blocks = -(-count // BLOCK)
        settle[(blocks * image.shape[0],)](
            self.image.data,
            self.finer,
            self.exponents,
            self.largest,
            gradient,
            count,
            blocks,
            BLOCK,
            self.bits,
            self.finer_bits,
            **UNFUSED,
        )
        return gradient


def accumulation(
    image: Tensor, grad_output: Tensor, job: Job, size: Sequence[int], wanted: bool
) -> Accumulation:
    """Sums for a call, at zero."""
    if not wanted:
        return Accumulation("none", job.image._replace(data=None))
    if not torch.are_deterministic_algorithms_enabled():
        return Accumulation("atomic", pixels(_zeros(image, compute_dtype(image)), job.batch))
    # However many points read one pixel, and though magnitudes of cubic weights add up to almost three, the
    # sum stays within 63 bits.
    points = prod(size) * (job.batch if image.shape[0] == 1 else 1)
    room = ceil(log2(points))
    bits = 60 - room
    wide = job.plan.wide_sums
    largest = torch.linalg.vector_norm(grad_output.reshape(image.shape[0], -1), torch.inf, 1)
    largest = largest.to(compute_dtype(image))
    return Accumulation(
        "fixed",
        pixels(_zeros(image, torch.int64), job.batch),
        _zeros(image, torch.int64) if wide else None,
        largest,
        torch.frexp(largest).exponent,
        bits,
        56 - room,
    )


def _zeros(image: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.zeros_like(image, dtype=dtype, memory_format=layout_of(image))
