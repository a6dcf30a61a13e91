"""The paper's distorted sets, made from plain digits a batch at a time."""

from collections.abc import Mapping
from types import MappingProxyType

from .base import Distortion as Distortion
from .clutter import Cluttered as Cluttered
from .elastic import Elastic as Elastic
from .perspective import Perspective as Perspective
from .similarity import Rotation as Rotation
from .similarity import RotationScaleTranslation as RotationScaleTranslation
from .similarity import Undone as Undone
from .undistorted import Undistorted as Undistorted

DISTORTIONS: Mapping[str, Distortion] = MappingProxyType(
    {
        "none": Undistorted(),
        "R": Rotation(),
        "RTS": RotationScaleTranslation(),
        "RTS-undone": Undone(),
        "P": Perspective(),
        "E": Elastic(),
        "TC": Cluttered(),
    }
)
"""By the paper's names: rotated; rotated, scaled, translated; projective; elastic; translated, cluttered.

"RTS-undone" is ours: what a perfect transformer would make of RTS."""
