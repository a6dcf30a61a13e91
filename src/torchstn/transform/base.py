"""Transform: theta -> grid. One family of transformations a file."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from math import inf
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor, nn

from .._checks import check_dims, check_size, check_theta
from .._precision import coordinate_dtype, keep_precision, without_autocast
from .._types import Size, Theta
from ..grid.base import Grid
from ..grid.lattice import step_count


class Frame(NamedTuple):
    """What a family needs to know of the output and the input it will read.

    Attributes:
        size: Output size, array order.
        align_corners: The convention.
        input_size: The input's size, array order.
        spacing: Physical size of an input pixel along each axis, array order; None where all are equal.
    """

    size: tuple[int, ...]
    align_corners: bool
    input_size: tuple[int, ...]
    spacing: Sequence[float] | None

    @property
    def extent(self) -> tuple[float, ...]:
        """Physical lengths from -1 to 1 along (x, y[, z]), pixels times spacing. Only their ratios matter."""
        # Not float(), which makes a symbolic length a fixed one.
        steps = [1.0 * step_count(n, self.align_corners) for n in self.input_size]
        if self.spacing is not None:
            steps = [step * size for step, size in zip(steps, self.spacing, strict=True)]
        return tuple(steps[::-1])


class Transform(nn.Module, ABC):
    """A family of transformations with `n_parameters` numbers each (section 3.2 of the paper).

    Called as `family(theta, size)` it returns a lazy Grid that maps output points to input points, both
    normalised. `constrain` turns a network's raw output into theta: zero gives exactly the start, which is
    the family's identity or `initial`.

    Args:
        dims: Number of spatial dimensions, 1, 2 or 3.
        n_parameters: How many numbers theta holds.
        initial: Where training starts, (n_parameters,); default: the identity.

    Raises:
        ValueError: If `dims` or the shape of `initial` is wrong, or `initial` is not finite.
    """

    start: Tensor

    carries_non_finite: ClassVar[bool] = False
    """Whether `build` takes numbers that are not finite as they are: each must then make every point it moves
    unreadable, and no derivative may turn a zero gradient into NaN. True where theta is only copied."""

    def __init__(self, dims: int, n_parameters: int, initial: Sequence[float] | Tensor | None) -> None:
        super().__init__()
        self.dims = check_dims(dims)
        self.n_parameters = n_parameters
        tracing = torch.compiler.is_compiling()
        # On meta there would be no numbers; a trace chooses its devices itself.
        with nullcontext() if tracing else torch.device("cpu"):
            start = self.identity() if initial is None else torch.as_tensor(initial, dtype=torch.float32)
        # Memory of its own: torch warns when it saves part of another tensor.
        start = start.detach().to("cpu", copy=True)
        if start.shape != (n_parameters,):
            raise ValueError(
                f"`initial` of {type(self).__name__} must be ({n_parameters},), got {tuple(start.shape)}."
            )
        if initial is not None and not tracing and not start.isfinite().all():
            raise ValueError(f"`initial` must be finite, got {start.tolist()}.")
        self._initial = start  # no buffer: `to_empty` leaves a buffer without its numbers
        device = torch.empty(0).device  # the default one
        start = start.to("cpu" if device.type == "meta" else device, copy=True)
        self.register_buffer("start", start, persistent=False)

    @abstractmethod
    def identity(self) -> Tensor:
        """The parameters that change nothing, (n_parameters,)."""

    def constrain(self, raw: Tensor) -> Theta:
        """Raw numbers (n, n_parameters) to parameters within the bounds; 0 gives exactly the start."""
        return self._start(raw) + raw

    @abstractmethod
    def build(self, theta: Theta, frame: Frame) -> Grid:
        """A new grid of parameters (n, n_parameters), float32 or float64, finite or `carries_non_finite`.

        Where parameters are not finite the first tensor of its `batched` fields is made NaN, which must make
        every point of these samples unreadable.
        """

    def forward(
        self,
        theta: Theta,
        size: Size,
        *,
        input_size: Size | None = None,
        spacing: Sequence[float] | None = None,
        align_corners: bool = False,
    ) -> Grid:
        """The grid of `theta`.

        Args:
            theta: (n, n_parameters). float16 and bfloat16 are computed in float32. Where a number is not
                finite the sample reads outside the image, with zero gradient.
            size: The output's size in array order, (w,), (h, w) or (d, h, w).
            input_size: The input's size; rigid and similarity turn in its physical space. Default: `size`.
            spacing: Physical size of an input pixel along each axis, array order. Default: equal.
            align_corners: Whether -1 and 1 are the centres (True) or the outer edges (False) of the corner
                pixels.

        Raises:
            TypeError: If theta is not a floating point tensor, or `build` returns no grid.
            ValueError: If a shape or a size is wrong.
        """
        check_theta(theta, self.n_parameters, type(self).__name__)
        size = check_size("size", size, self.dims)
        lengths = size if input_size is None else check_size("input_size", input_size, self.dims)
        if spacing is not None:
            self._check_spacing(spacing)
        frame = Frame(size, align_corners, lengths, spacing)
        dtype = coordinate_dtype(theta)
        theta = theta if theta.dtype == dtype else theta.to(dtype)
        if self.carries_non_finite:
            grid = _checked(self.build(theta, frame))
        else:
            finite = theta.isfinite().all(1, keepdim=True)
            # Replaced before the family's arithmetic, whose derivatives would turn a zero gradient into NaN.
            safe = torch.where(finite, theta, self._start(theta))
            with without_autocast(theta.device):
                grid = _checked(self.build(safe, frame))
            _mark_unreadable(grid, finite)
        object.__setattr__(grid, "theta", theta)
        return grid

    def _start(self, like: Tensor) -> Tensor:
        return self.start.to(dtype=like.dtype, device=like.device)

    def _check_spacing(self, spacing: Sequence[float]) -> None:
        alone = isinstance(spacing, (int, float))
        if alone or len(spacing) != self.dims or not all(0 < step < inf for step in spacing):
            raise ValueError(
                f"`spacing` must be {self.dims} positive, finite number(s), array order, got {spacing!r}."
            )

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Applies as nn.Module, but the start keeps its numbers, also through `to_empty`.

        `.half()` and `.bfloat16()` round nothing: that would move pixels.
        """
        super()._apply(keep_precision(fn), recurse)  # type: ignore[no-untyped-call]  # torch's own
        self.start = self._initial.to(self.start.device, self.start.dtype, copy=True)
        return self

    def extra_repr(self) -> str:
        return f"dims={self.dims}, n_parameters={self.n_parameters}"


def _checked(grid: Any) -> Grid:
    if not isinstance(grid, Grid):
        raise TypeError(f"`build` must return a torchstn.Grid, got {type(grid).__name__}.")
    return grid


def _mark_unreadable(grid: Grid, finite: Tensor) -> None:
    """Makes coordinates NaN where `finite` (n, 1) is False.

    One field is enough. The others stay finite, because a zero gradient times NaN is NaN: it would reach
    whatever they are multiplied by, such as a learned basis.
    """
    for name in grid.batched:
        value = getattr(grid, name)
        if name != "theta" and isinstance(value, Tensor):
            break
    else:
        raise TypeError(
            f"`batched` of {type(grid).__name__} must name the fields whose first axis is the batch, first a "
            f"tensor that every coordinate depends on, got {grid.batched}."
        )
    mask = finite.view(-1, *([1] * (value.ndim - 1)))
    # Past the constructor's checks, which it has passed; and a copy could not be traced by torch 2.11.
    object.__setattr__(grid, name, torch.where(mask, value, float("nan")))
