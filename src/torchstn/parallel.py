"""Several spatial transformers side by side: one per object or part."""

from collections.abc import Sequence
from typing import Literal, overload

import torch
from torch import nn

from ._types import Image, Maps
from .grid import Grid
from .spatial_transformer import SpatialTransformer


class Parallel(nn.Module):
    """Transformers that all see the same input; outputs are concatenated along the channels (section 3.4).

    To share one localisation network, build the transformers with the same `localisation` object: its
    features are then computed once, and each transformer keeps its own regression layer.

    Args:
        transformers: One per part; their output sizes must be equal.

    Raises:
        ValueError: If there are none.
        TypeError: If one is not a SpatialTransformer.
    """

    def __init__(self, transformers: Sequence[SpatialTransformer]) -> None:
        super().__init__()
        if not transformers:
            raise ValueError("`transformers` must hold at least one SpatialTransformer, got none.")
        for transformer in transformers:
            if not isinstance(transformer, SpatialTransformer):
                raise TypeError(
                    f"`transformers` must be SpatialTransformers, got {type(transformer).__name__}."
                )
        self.transformers = nn.ModuleList(transformers)

    @overload
    def forward(self, x: Maps, image: Image | None = ..., *, return_grid: Literal[False] = ...) -> Maps: ...
    @overload
    def forward(
        self, x: Maps, image: Image | None = ..., *, return_grid: Literal[True]
    ) -> tuple[Maps, tuple[Grid, ...]]: ...
    def forward(
        self, x: Maps, image: Image | None = None, *, return_grid: bool = False
    ) -> Maps | tuple[Maps, tuple[Grid, ...]]:
        """As SpatialTransformer: (n, parts * c, *size), and with `return_grid` one grid per part."""
        source = x if image is None else image
        features: dict[int, torch.Tensor] = {}
        outputs, grids = [], []
        for st in self.transformers:
            assert isinstance(st, SpatialTransformer)
            key = id(st.localisation)
            if key not in features:
                features[key] = st.localisation(x)
            grid = st._grid(st.transform.constrain(st.head(features[key])), source)
            outputs.append(st.sampler(source, grid))
            grids.append(grid)
            if outputs[-1].shape[2:] != outputs[0].shape[2:]:
                raise ValueError(
                    "The outputs of `transformers` must have one size to be concatenated, got "
                    f"{tuple(outputs[0].shape[2:])} and {tuple(outputs[-1].shape[2:])}; give them one `size`."
                )
        joined = torch.cat(outputs, 1)
        return (joined, tuple(grids)) if return_grid else joined
