"""The paper's general class T = M B, with a B that can be learned."""

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor, nn

from .._checks import check_any_size, check_count, check_device
from .._types import Theta
from ..grid.basis import BasisGrid
from ..grid.dense import DenseBasis
from ..grid.lattice import axis_values
from .base import Frame
from .elastic import _Offsets


class Basis(_Offsets):
    """The general structured class T = M B of section 3.2: M from theta, B k functions of the output point.

    The map is the identity plus the sum of the functions times theta's offsets, so zeros are the identity
    whatever B becomes. B is stored in float32 on a lattice and interpolated to other output sizes.

    theta holds k offsets, (x, y[, z]) each, normalised.

    Args:
        functions: Initial values of B, (k, *size), or their number k: cosines from the lowest frequency on
            are then laid on a lattice of `size`.
        size: The lattice's size in array order, needed with a number.
        learned: Whether B is a parameter, trained with the rest, or fixed.
        max_displacement: Largest change of each offset from the start.
        initial: Where training starts; default: the identity, zeros.
    """

    functions: Tensor

    def __init__(
        self,
        functions: int | Tensor,
        size: Sequence[int] | None = None,
        *,
        learned: bool = True,
        max_displacement: float | None = None,
        initial: Sequence[float] | Tensor | None = None,
    ) -> None:
        values = _initial_functions(functions, size)
        super().__init__(values.ndim - 1, values.shape[0], max_displacement, initial)
        if learned:
            self.functions = nn.Parameter(values)
        else:
            self.register_buffer("functions", values)

    def build(self, theta: Theta, frame: Frame) -> BasisGrid:
        check_device("theta", theta, "functions", self.functions)
        return self._basis_grid(theta, DenseBasis(self.functions.to(theta.dtype)), frame)


def _initial_functions(functions: int | Tensor, size: Sequence[int] | None) -> Tensor:
    if isinstance(functions, Tensor):
        if functions.ndim not in (2, 3, 4) or not functions.is_floating_point():
            raise ValueError(
                "`functions` must be floating point (k, *size), "
                f"got {functions.dtype} {tuple(functions.shape)}."
            )
        dtype = torch.promote_types(functions.dtype, torch.float32)
        return functions.detach().to(dtype, copy=True)
    count = check_count("functions", functions)
    if size is None:
        raise ValueError(f"`functions` as a number must come with `size`, got {functions!r} alone.")
    return _cosines(count, check_any_size("size", size))


def _cosines(count: int, size: tuple[int, ...]) -> Tensor:
    """The `count` products of cosines of lowest total frequency, (count, *size), constant first."""
    orders = sorted(product(range(count), repeat=len(size)), key=lambda order: (sum(order), order))
    waves = []
    for order in orders[:count]:
        wave = torch.ones(size)
        for axis, (frequency, length) in enumerate(zip(order, size, strict=True)):
            phase = (torch.arange(length) + 0.5) / length * torch.pi
            wave = wave * axis_values(torch.cos(phase * frequency), axis, len(size))
        waves.append(wave)
    return torch.stack(waves)
