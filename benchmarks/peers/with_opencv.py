"""OpenCV: `warpAffine`, `warpPerspective` and `remap`, image by image; forward only."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..case import Case
from ..problem import pixel_matrix, pixel_points
from .base import Call

FAMILIES = ("affine", "projective", "points")


def opencv(case: Case) -> Call:
    """One call an image where the channels of a pixel lie side by side, else one a plane, without copies."""
    import cv2

    if case.dims != 2 or case.dtype != torch.float32 or case.family not in FAMILIES:
        raise NotImplementedError("OpenCV warps float32 images of two dimensions, by matrices or points")
    h, w = case.size
    interpolation = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}[
        case.kernel
    ]
    border = {"zeros": cv2.BORDER_CONSTANT, "border": cv2.BORDER_REPLICATE}[case.padding]
    warp: Callable[[Any, Any], Any]
    if case.family == "points":

        def warp(image: Any, maps: Any) -> Any:
            return cv2.remap(image, maps[0], maps[1], interpolation, borderMode=border, borderValue=0)

    else:
        function = cv2.warpAffine if case.family == "affine" else cv2.warpPerspective
        flags = interpolation | cv2.WARP_INVERSE_MAP

        def warp(image: Any, matrix: Any) -> Any:
            return function(image, matrix, (w, h), flags=flags, borderMode=border, borderValue=0)

    def run(images: list[list[Any]], parameters: list[Any]) -> list[list[Any]]:
        pairs = zip(images, parameters, strict=True)
        return [[warp(plane, parameter) for plane in planes] for planes, parameter in pairs]

    return Call(
        run,
        take_image=_planes,
        take_parameter=lambda parameter: _parameters(case, parameter),
        give=lambda outputs: _stack(case, outputs),
        differentiable=False,
    )


def _planes(image: Tensor) -> list[list[Any]]:
    """For every image its arrays (h, w, c), one of all channels or one a channel, sharing the memory."""
    if image.stride(1) == 1 and image.shape[1] > 1:
        return [[each.permute(1, 2, 0).numpy()] for each in image]
    return [[plane.numpy() for plane in each] for each in image]


def _parameters(case: Case, parameter: Tensor) -> list[Any]:
    parameter = parameter.detach()
    if case.family == "points":
        points = pixel_points(case, parameter)
        return [tuple(axis.contiguous().numpy() for axis in each.unbind(-1)) for each in points]
    matrix = pixel_matrix(case, parameter).double()
    return [each.numpy() for each in (matrix[:, :2] if case.family == "affine" else matrix)]


def _stack(case: Case, outputs: list[list[Any]]) -> Tensor:
    planes = [[torch.from_numpy(plane).view(*case.size, -1) for plane in planes] for planes in outputs]
    return torch.stack([torch.cat(each, -1) for each in planes]).movedim(-1, 1)
