"""kornia: `warp_affine`, `warp_affine3d`, `warp_perspective`, `warp_image_tps`, `remap`."""

import torch
from torch import Tensor

from ..case import Case
from ..problem import pixel_matrix, pixel_points
from .base import Call


def kornia(case: Case) -> Call:
    """The function a user of kornia would call."""
    import kornia.geometry.transform as geometry

    h, w = case.size[-2:]
    if case.family == "affine" and case.dims == 2:
        return Call(
            lambda image, matrix: geometry.warp_affine(
                image, matrix, (h, w), align_corners=case.align_corners
            ),
            take_parameter=lambda theta: torch.linalg.inv(pixel_matrix(case, theta))[:, :2],
        )
    if case.family == "affine":
        depth = case.size[0]
        return Call(
            # It takes pixels, and always normalises them in this convention.
            lambda image, matrix: geometry.warp_affine3d(image, matrix, (depth, h, w), align_corners=True),
            take_parameter=lambda theta: torch.linalg.inv(pixel_matrix(case, theta))[:, :3],
        )
    if case.family == "projective":
        return Call(
            lambda image, matrix: geometry.warp_perspective(
                image, matrix, (h, w), align_corners=case.align_corners
            ),
            take_parameter=lambda theta: torch.linalg.inv(pixel_matrix(case, theta)),
        )
    if case.family == "thin-plate":
        return _thin_plate(case)
    if case.family == "points":
        return Call(
            # The same convention for the same reason.
            lambda image, maps: geometry.remap(image, maps[0], maps[1], align_corners=True),
            take_parameter=lambda points: pixel_points(case, points).movedim(-1, 0).contiguous(),
        )
    raise NotImplementedError(f"kornia has no {case.family} warp")


def _thin_plate(case: Case) -> Call:
    """`warp_image_tps`, with the weights of the usual spline.

    kornia's own `get_tps_transform` centres the functions on the moved points, which makes another map; the
    system solved here is of the same size.
    """
    import kornia.geometry.transform as geometry

    control, system = _spline_system(case.points)
    zeros = torch.zeros(case.shape[0], 3, 2)
    control = control.repeat(case.shape[0], 1, 1)

    def run(image: Tensor, moved: Tensor) -> Tensor:
        weights = torch.linalg.solve(system, torch.cat([moved, zeros], 1))
        return geometry.warp_image_tps(
            image, control, weights[:, :-3], weights[:, -3:], align_corners=case.align_corners
        )

    return Call(run, take_parameter=lambda theta: control + theta.view_as(control))


def _spline_system(points: int) -> tuple[Tensor, Tensor]:
    """The control points (1, k, 2), and Bookstein's matrix [[K, P], [P^T, 0]] with P = (1, x, y)."""
    axis = torch.linspace(-1, 1, points)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    control = torch.stack([x, y], -1).view(-1, 2)
    distance = torch.cdist(control, control)
    affine = torch.cat([torch.ones(len(control), 1), control], 1)
    upper = torch.cat([distance.square() * torch.where(distance > 0, distance, 1.0).log(), affine], 1)
    return control.unsqueeze(0), torch.cat([upper, torch.cat([affine.T, torch.zeros(3, 3)], 1)])
