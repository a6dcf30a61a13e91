"""What a backend is asked for."""

from dataclasses import dataclass, field

from torch import Tensor

from .._types import Padding
from ..grid.absolute import AbsolutePoints
from ..grid.base import Grid
from .kernels import BuiltinKernel, Kernel


@dataclass(eq=False, slots=True)
class Request:
    """One call of `sample`, its arguments checked.

    Attributes:
        image: (n or 1, c, *size).
        grid: Where to read, not yet computed; its type is that of the coordinates.
        kernel: The sampling kernel.
        padding: What lies outside the image.
        fill: The value outside with padding "fill": a number, or one per channel (c,).
    """

    image: Tensor
    grid: Grid | AbsolutePoints
    kernel: Kernel | BuiltinKernel
    padding: Padding
    fill: Tensor | float
    _coordinates: tuple[Tensor, ...] | None = field(default=None, init=False, repr=False)

    @property
    def align_corners(self) -> bool:
        """The grid's convention."""
        return self.grid.align_corners

    @property
    def coordinates(self) -> tuple[Tensor, ...]:
        """Where to read: d tensors (n or 1, *out), x first, in pixels; computed when first asked for."""
        if self._coordinates is None:
            self._coordinates = self.grid.pixel_coordinates(self.image.shape[2:])
        return self._coordinates
