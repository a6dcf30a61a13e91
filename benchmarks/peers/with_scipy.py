"""scipy: `ndimage.affine_transform` and `map_coordinates`, plane by plane; forward only, one thread."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..case import Case
from ..problem import pixel_matrix, pixel_points, reversed_axes
from .base import Call


def scipy(case: Case) -> Call:
    """With mode "grid-constant", which reads zeros outside as the others do."""
    from scipy import ndimage

    if case.kernel != "linear" or case.padding != "zeros":
        raise NotImplementedError("its other kernels are B-splines")
    options = {"order": 1, "mode": "grid-constant"}
    warp: Callable[[Any, Any], Any]
    if case.family == "affine":

        def warp(plane: Any, matrix: Any) -> Any:
            return ndimage.affine_transform(plane, matrix, **options)

    elif case.family == "points":

        def warp(plane: Any, points: Any) -> Any:
            return ndimage.map_coordinates(plane, points, **options)

    else:
        raise NotImplementedError(f"scipy has no {case.family} warp")

    def run(images: list[Any], parameters: list[Any]) -> list[list[Any]]:
        pairs = zip(images, parameters, strict=True)
        return [[warp(plane, parameter) for plane in image] for image, parameter in pairs]

    return Call(
        run,
        take_image=lambda image: [each.numpy() for each in image.contiguous()],
        take_parameter=lambda parameter: _parameters(case, parameter.detach()),
        give=_stack,
        differentiable=False,
    )


def _stack(outputs: list[list[Any]]) -> Tensor:
    return torch.stack([torch.stack([torch.from_numpy(plane) for plane in planes]) for planes in outputs])


def _parameters(case: Case, parameter: Tensor) -> list[Any]:
    if case.family == "affine":
        return [each.double().numpy() for each in reversed_axes(pixel_matrix(case, parameter))]
    return [each.flip(-1).movedim(-1, 0).contiguous().numpy() for each in pixel_points(case, parameter)]
