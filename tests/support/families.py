"""Every family of transformations in every number of dimensions, and numbers for it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from torchstn import transform
from torchstn.transform import Transform


class Family(NamedTuple):
    """How to make a family: `family.make()`, or with options of its own."""

    name: str
    dims: int
    make: Callable[..., Transform]

    @property
    def id(self) -> str:
        return f"{self.name}-{self.dims}d"


def _with_dims(kind: Callable[..., Transform], dims: int, **settings: Any) -> Callable[..., Transform]:
    return lambda **options: kind(**settings, dims=dims, **options)


def _displacement(dims: int) -> Callable[..., Transform]:
    # A field of another size than most outputs: it is interpolated. At its own size it is taken as it is.
    return lambda **options: transform.Displacement((3, 4, 5)[-dims:], **options)


def _basis(dims: int) -> Callable[..., Transform]:
    return lambda **options: transform.Basis(3, (4, 3, 5)[-dims:], **options)


FAMILIES = [
    Family(name, dims, make)
    for dims in (1, 2, 3)
    for name, make in {
        "translation": _with_dims(transform.Translation, dims),
        "attention": _with_dims(transform.Attention, dims),
        "rigid": _with_dims(transform.Rigid, dims),
        "similarity": _with_dims(transform.Similarity, dims),
        "affine": _with_dims(transform.Affine, dims),
        "projective": _with_dims(transform.Projective, dims),
        "thin_plate": _with_dims(transform.ThinPlate, dims, points=3),
        "free_form": _with_dims(transform.FreeForm, dims, points=5),
        "displacement": _displacement(dims),
        "basis": _basis(dims),
    }.items()
]

EVERY_FAMILY = [pytest.param(family, id=family.id) for family in FAMILIES]
IN_2D = [pytest.param(family, id=family.name) for family in FAMILIES if family.dims == 2]

EVERY_CONVENTION = [pytest.param(False, id="edges"), pytest.param(True, id="centres")]
"""Values of `align_corners`."""


def random_theta(
    family: Transform, batch: int = 2, *, scale: float = 0.1, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Parameters near the identity, (batch, n_parameters): nothing folds and no denominator vanishes."""
    # Offsets of single pixels or control points bend more than whole matrices do.
    local = isinstance(family, (transform.Displacement, transform.FreeForm))
    spread = scale * (0.5 if local else 1.0)
    noise = 3 * torch.rand(batch, family.n_parameters, dtype=torch.float64) - 1.5
    return (family.identity().double() + spread * noise).to(dtype)


def smooth_image(size: Sequence[int], *, dtype: torch.dtype = torch.float64) -> Tensor:
    """Two channels of slow waves, (1, 2, *size): interpolating them once or twice makes little difference."""
    axes = [torch.linspace(-1, 1, length, dtype=torch.float64) for length in size]
    mesh = torch.meshgrid(*axes, indexing="ij")
    phase = torch.stack([(1.3 + axis) * values for axis, values in enumerate(mesh)]).sum(0)
    return torch.stack([phase.sin(), (phase * 0.7 + 0.5).cos()]).unsqueeze(0).to(dtype)
