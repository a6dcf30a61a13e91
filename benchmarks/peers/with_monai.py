"""MONAI: the layers `AffineTransform` and `Warp`."""

from ..case import Case
from ..problem import to_pixels
from .base import Call


def monai(case: Case) -> Call:
    """The layer a user of MONAI would take."""
    d = case.dims
    if case.family == "affine":
        from monai.networks.layers.spatial_transforms import AffineTransform

        layer = AffineTransform(normalized=True, reverse_indexing=False, align_corners=case.align_corners)
        return Call(layer, take_parameter=lambda theta: theta.unflatten(1, (d, d + 1)))
    if case.family == "displacement":
        from monai.networks.blocks.warp import Warp

        # Its field is in voxels, array order, channels first.
        scale = to_pixels(case.size, case.align_corners).float().diagonal()[:-1]
        return Call(
            Warp(mode="bilinear", padding_mode=case.padding),  # type: ignore[no-untyped-call]
            take_parameter=lambda field: (field * scale).flip(-1).movedim(-1, 1).contiguous(),
        )
    raise NotImplementedError(f"MONAI has no {case.family} layer")
