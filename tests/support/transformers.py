"""Small spatial transformers of every family, whose parameters depend on what they see."""

from collections.abc import Sequence
from typing import Any

from support.families import FAMILIES
from torch import Tensor, cat, nn

import torchstn as stn
from torchstn.transform import Transform

SIZES = {1: (9,), 2: (8, 9), 3: (5, 6, 7)}
"""An image size for each number of dimensions, no two axes alike."""


def family(name: str, dims: int = 2, **options: Any) -> Transform:
    """A transform by the name and the dimensions of its family."""
    return next(one.make(**options) for one in FAMILIES if (one.name, one.dims) == (name, dims))


def transformer(
    transform: Transform | str = "affine",
    seen: Sequence[int] = SIZES[2],
    *,
    channels: int = 1,
    stir: float = 0.1,
    **options: Any,
) -> stn.SpatialTransformer:
    """A spatial transformer with one hidden layer of 8 units.

    Args:
        transform: A transform, or the name of its family.
        seen: The size of the images that it sees.
        channels: Their channels.
        stir: As for `stir_heads`; 0 leaves the regression layer as it is built.
        options: Passed on to SpatialTransformer.
    """
    if isinstance(transform, str):
        transform = family(transform, len(seen))
    localisation = stn.localisation.FullyConnected(channels, seen, (8,))
    module = stn.SpatialTransformer(localisation, transform, **options)
    if stir:
        stir_heads(module, stir)
    return module


def stir_heads(module: nn.Module, stir: float = 0.1) -> None:
    """Gives the regression layers random numbers: each image is then warped in a way of its own."""
    for part in module.modules():
        if isinstance(part, stn.localisation.RegressionHead):
            nn.init.normal_(part.weight, std=stir)
            nn.init.normal_(part.bias, std=stir)


def torch_sample(image: Tensor, points: Tensor, align_corners: bool = False, **options: Any) -> Tensor:
    """`F.grid_sample`, in one dimension too: the image is then one row of a picture, read at its height."""
    options["align_corners"] = align_corners
    if image.ndim > 3:
        return nn.functional.grid_sample(image, points, **options)
    row = cat([points, points * 0], -1).unsqueeze(1)
    return nn.functional.grid_sample(image.unsqueeze(2), row, **options).squeeze(2)
