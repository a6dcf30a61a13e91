"""The spatial transformer: localisation, transform and sampler in one module."""

from typing import Literal, overload

from torch import Tensor, nn

from ._checks import check_axes, check_size, check_tensor
from ._types import Image, Maps, Output, Size, Theta
from .grid import Grid
from .localisation import RegressionHead
from .sampler import Sampler
from .transform import Transform


class SpatialTransformer(nn.Module):
    """A module that learns, from the task's loss alone, where to look (Jaderberg et al. 2015, section 3).

    image -> localisation -> theta -> transform -> grid -> sampler -> output. Drops into any network at any
    depth, any number of times. At the start every theta is the transform's start, so an untrained module with
    the output size of its input changes nothing.

    Args:
        localisation: A network from an image to features, with their number as `out_features`; see
            `torchstn.localisation`. The regression layer to theta is added here, with zero weights.
        transform: The family of transformations.
        sampler: Kernel and padding; default: linear, zeros.
        size: Size of the output, array order; default: that of the image it warps.
        align_corners: Whether -1 and 1 are the centres (True) or the outer edges (False) of the corner
            pixels.

    Raises:
        TypeError: If `localisation` does not say its number of features, or a part is of the wrong kind.
        ValueError: If `size` does not fit the transform's dimensions.
    """

    def __init__(
        self,
        localisation: nn.Module,
        transform: Transform,
        sampler: Sampler | None = None,
        size: Size | None = None,
        *,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        features = getattr(localisation, "out_features", None)
        if not isinstance(localisation, nn.Module) or not isinstance(features, int):
            raise TypeError(
                "`localisation` must be a module with the number of its features as `out_features`, got "
                f"{type(localisation).__name__}; wrap it: "
                "torchstn.localisation.Backbone(network, out_features)."
            )
        if not isinstance(transform, Transform):
            raise TypeError(
                f"`transform` must be a torchstn.transform family, got {type(transform).__name__}."
            )
        if sampler is not None and not isinstance(sampler, Sampler):
            raise TypeError(f"`sampler` must be a torchstn.Sampler, got {type(sampler).__name__}.")
        self.localisation = localisation
        self.head = RegressionHead(features, transform.n_parameters)
        self.transform = transform
        self.sampler = Sampler() if sampler is None else sampler
        self.size = None if size is None else check_size("size", size, transform.dims)
        self.align_corners = align_corners

    def theta(self, image: Maps) -> Theta:
        """What the localisation network says of an image: parameters (n, n_parameters)."""
        return self.transform.constrain(self.head(self.localisation(image)))

    @overload
    def forward(self, x: Maps, image: Image | None = ..., *, return_grid: Literal[False] = ...) -> Output: ...
    @overload
    def forward(
        self, x: Maps, image: Image | None = ..., *, return_grid: Literal[True]
    ) -> tuple[Output, Grid]: ...
    def forward(
        self, x: Maps, image: Image | None = None, *, return_grid: bool = False
    ) -> Output | tuple[Output, Grid]:
        """Warps x, or `image`, by what x says.

        Args:
            x: (n, c, *size), what the localisation network sees: the image itself, or features of it.
            image: What is warped instead of x; any number of channels.
            return_grid: Also return the grid, to plot, compose or watch; `grid.theta` are the parameters.

        Returns:
            (n, c, *size of the output), with `return_grid` a pair.
        """
        source = x if image is None else image
        grid = self._grid(self.theta(x), source)
        output: Tensor = self.sampler(source, grid)
        return (output, grid) if return_grid else output

    def _grid(self, theta: Theta, source: Image) -> Grid:
        check_tensor("image", source)
        check_axes(source, self.transform.dims, "transform")
        size = source.shape[2:]
        grid: Grid = self.transform(
            theta,
            tuple(size) if self.size is None else self.size,
            input_size=tuple(size),
            align_corners=self.align_corners,
        )
        return grid

    def extra_repr(self) -> str:
        return f"size={self.size}, align_corners={self.align_corners}"
