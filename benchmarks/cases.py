"""The cases: those with a target first, then others worth knowing."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import torch

from .case import Case, Target

EAGER, COMPILED = "torch", "torch.compile"
MATRIX_PEERS = (EAGER, COMPILED, "kornia", "MONAI", "OpenCV", "scipy")

CASES = (
    Case("affine-digits", "affine", (256, 1, 42, 42), Target(EAGER, 10, 6), MATRIX_PEERS, scales=True),
    Case(
        "affine-photos",
        "affine",
        (8, 3, 512, 512),
        Target(EAGER, 7, 4),
        (*MATRIX_PEERS, "torch-interpol"),
        scales=True,
    ),
    Case(
        "affine-photos-last",
        "affine",
        (8, 3, 512, 512),
        Target(EAGER, 7, 4),
        (EAGER, COMPILED, "kornia", "MONAI"),
        channels_last=True,
        scales=True,
    ),
    Case("affine-features", "affine", (32, 64, 56, 56), Target(EAGER, 4, 3), MATRIX_PEERS, scales=True),
    Case(
        "affine-features-last",
        "affine",
        (32, 64, 56, 56),
        Target(EAGER, 7, 4),
        (EAGER, COMPILED, "kornia", "MONAI"),
        channels_last=True,
        scales=True,
    ),
    Case(
        "affine-cubic",
        "affine",
        (8, 3, 512, 512),
        Target(EAGER, 5, 4),
        (EAGER, COMPILED, "OpenCV"),
        kernel="cubic",
        scales=True,
    ),
    Case(
        "points",
        "points",
        (16, 3, 224, 224),
        Target(EAGER, 2, 2),
        (EAGER, COMPILED, "kornia", "OpenCV", "torch-interpol", "scipy"),
        scales=True,
    ),
    Case(
        "projective",
        "projective",
        (8, 3, 512, 512),
        Target("kornia", 8, 5),
        ("kornia", "OpenCV"),
        scales=True,
    ),
    Case("thin-plate", "thin-plate", (16, 3, 224, 224), Target("kornia", 60, 25), ("kornia",), scales=True),
    Case(
        "affine-3d",
        "affine",
        (1, 1, 96, 96, 96),
        Target(EAGER, 10, 6),
        (EAGER, COMPILED, "kornia", "MONAI", "torch-interpol", "scipy"),
    ),
    Case(
        "points-3d",
        "points",
        (1, 1, 160, 192, 160),
        Target(EAGER, 3, 3),
        (EAGER, COMPILED, "torch-interpol", "scipy"),
    ),
    Case("affine-tiny", "affine", (1, 1, 8, 8), Target(EAGER, 1, 1), (EAGER, COMPILED, "kornia", "OpenCV")),
    Case(
        "affine-opencv",
        "affine",
        (8, 3, 512, 512),
        Target("OpenCV", 1.5, None),
        ("OpenCV",),
        channels_last=True,
        label="affine 8x512x512x3, image by image",
        scales=True,
    ),
    Case("displacement-3d", "displacement", (1, 1, 160, 192, 160), None, (EAGER, "voxelmorph", "MONAI")),
    Case("thin-plate-large", "thin-plate", (4, 3, 512, 512), None, ("kornia",), points=8),
    Case("affine-nearest", "affine", (8, 3, 512, 512), None, (EAGER, "OpenCV"), kernel="nearest"),
    Case("affine-border", "affine", (8, 3, 512, 512), None, (EAGER, "OpenCV"), padding="border"),
    Case("affine-bfloat16", "affine", (32, 64, 56, 56), None, (EAGER,), dtype=torch.bfloat16),
    Case("free-form", "free-form", (16, 3, 224, 224), None, ("reference",), points=8),
    Case("free-form-3d", "free-form", (1, 1, 96, 96, 96), None, ("reference",), points=8),
    Case("affine-cubic-3d", "affine", (1, 1, 64, 64, 64), None, ("reference",), kernel="cubic"),
)


def select(
    patterns: Sequence[str], cases: Sequence[Case] = CASES, others: Sequence[str] = ()
) -> tuple[Case, ...]:
    """The cases whose names match one of the patterns, as `affine-*`; all of them without a pattern.

    Args:
        patterns: What is asked for.
        cases: What there is.
        others: What else may be asked for.

    Raises:
        ValueError: If a pattern matches nothing; it lists the names there are.
    """
    names = [*(case.name for case in cases), *others]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ValueError(f"`--only` must match one of {', '.join(names)}; got {pattern!r}.")
    return tuple(case for case in cases if matches(case.name, patterns))


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name is asked for."""
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
