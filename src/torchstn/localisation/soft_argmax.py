"""SoftArgmax: a localisation network whose features are places."""

import torch
from torch import Tensor, nn

from .._checks import check_count, check_dims
from ..grid.lattice import lattice_axis
from .base import Localisation, check_returned
from .networks import CONVOLUTIONS


class SoftArgmax(Localisation):
    """Maps to where in them something is: the mean place of each of some points (Levine et al. 2016).

    A convolution of one pixel scores every place for every point, a softmax over all places makes shares of
    the scores, and the point is the mean of the places by their shares ("End-to-end training of deep
    visuomotor policies", section 4.2). Where the thing moves the point moves as far, whatever it is: a shift
    is learnt from few images, where units of a fully connected layer would learn each place by itself.

    The features are (x[, y[, z]]) of all points, normalised with -1 and 1 the outer edges of the maps: all x,
    then all y.

    Args:
        channels: Of the maps.
        points: How many.
        network: Makes the maps (n, channels, *size) of the image; default, they come in.
        dims: Number of spatial dimensions.

    Raises:
        TypeError: If `network` is not a module.
        ValueError: If a number is not positive, or `dims` is not 1, 2 or 3.
    """

    def __init__(
        self, channels: int, points: int = 32, *, network: nn.Module | None = None, dims: int = 2
    ) -> None:
        super().__init__(check_dims(dims) * check_count("points", points))
        if network is not None and not isinstance(network, nn.Module):
            raise TypeError(f"`network` must be a torch.nn.Module, got {type(network).__name__}.")
        self.channels, self.dims = check_count("channels", channels), dims
        self.network = network
        self.scores = CONVOLUTIONS[dims](channels, points, 1)

    def forward(self, image: Tensor) -> Tensor:
        maps = image if self.network is None else check_returned(self.network(image))
        if maps.ndim != self.dims + 2 or maps.shape[1] != self.channels:
            raise ValueError(
                f"Maps must be (n, {self.channels}, {', '.join('dhw'[3 - self.dims :])}), as the network was "
                f"built, got {tuple(maps.shape)}."
            )
        scores = self.scores(maps)
        # Places are coordinates: in bfloat16 they would be on a lattice of their own.
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        shares = scores.flatten(2).softmax(2).unflatten(2, maps.shape[2:])
        places = []
        for axis in range(self.dims + 1, 1, -1):
            others = [other for other in range(2, self.dims + 2) if other != axis]
            line = lattice_axis(maps.shape[axis], False, shares.dtype, shares.device)
            places.append(((shares.sum(others) if others else shares) * line).sum(2))
        return torch.cat(places, 1)
