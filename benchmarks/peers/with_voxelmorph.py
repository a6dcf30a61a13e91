"""voxelmorph: its layer `SpatialTransformer`."""

from ..case import Case
from ..problem import to_pixels
from .base import Call


def voxelmorph(case: Case) -> Call:
    """Displacements in voxels, array order, channels first."""
    if case.family != "displacement":
        raise NotImplementedError("voxelmorph's layer takes displacement fields")
    from voxelmorph.nn.modules import SpatialTransformer  # type: ignore[import-untyped]

    scale = to_pixels(case.size, case.align_corners).float().diagonal()[:-1]
    return Call(
        SpatialTransformer(),  # voxels are voxels in either convention, and it counts in the other one
        take_parameter=lambda field: (field * scale).flip(-1).movedim(-1, 1).contiguous(),
    )
