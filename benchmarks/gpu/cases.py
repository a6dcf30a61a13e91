"""The cases: inputs larger than the cache of any card, those with a target first."""

import torch

from ..case import Case, Target
from ..cases import COMPILED, EAGER

EVERYONE = (EAGER, COMPILED, "kornia", "MONAI")

CASES = (
    Case("affine-photos", "affine", (64, 3, 512, 512), Target(EAGER, 3, 2.5), EVERYONE),
    Case(
        "affine-features-last",
        "affine",
        (64, 64, 112, 112),
        Target(EAGER, 3, None),
        (EAGER, COMPILED),  # kornia and MONAI refuse matrices that are more exact than the image
        channels_last=True,
        dtype=torch.bfloat16,
    ),
    Case("thin-plate", "thin-plate", (64, 3, 256, 256), Target("kornia", 50, None), ("kornia",)),
    Case("points-3d", "points", (2, 1, 160, 192, 160), Target(EAGER, 1, 1.5), (EAGER, COMPILED)),
    Case("affine-features", "affine", (64, 64, 112, 112), None, EVERYONE),
    Case("affine-digits", "affine", (8192, 1, 42, 42), None, EVERYONE),
    Case("affine-cubic", "affine", (64, 3, 512, 512), None, (EAGER, COMPILED), kernel="cubic"),
    Case("projective", "projective", (64, 3, 512, 512), None, ("kornia",)),
    Case("free-form", "free-form", (64, 3, 256, 256), None, (), points=8),
    Case("affine-3d", "affine", (4, 1, 160, 160, 160), None, EVERYONE),
    Case("displacement-3d", "displacement", (2, 1, 160, 192, 160), None, (EAGER, "MONAI")),
)

SHARE_WANTED = {"affine-features-last": 0.6}
"""Of the measured copy bandwidth, forward."""
