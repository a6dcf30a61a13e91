"""The triplet hinge loss, equation (8) of the paper."""

import torch
import torch.nn.functional as F
from torch import Tensor

MARGIN = 1.0
"""The paper's alpha."""


def squared_distances(left: Tensor, right: Tensor) -> Tensor:
    """Between all rows of (n, d) and (m, d): (n, m)."""
    products = left @ right.T
    return left.square().sum(1)[:, None] + right.square().sum(1) - 2 * products


def triplet_loss(crops: Tensor, patches: Tensor, *, held: bool = False) -> Tensor:
    """Equation (8) over all pairs: crops shall be nearer one another than a patch of their own image.

    max(0, |e(crop n) - e(crop m)|^2 - |e(crop n) - e(patch n)|^2 + 1), averaged over m != n.

    Args:
        crops: (n, d) descriptors of what the transformer cut out.
        patches: (n, d) descriptors of a random patch of each image.
        held: Whether crop m is a constant in the derivative. The value does not change.

    Returns:
        (n,), one for each image.
    """
    near = squared_distances(crops, crops.detach() if held else crops)
    far = (crops - patches).square().sum(1)
    hinge = F.relu(near - far[:, None] + MARGIN)
    others = ~torch.eye(len(crops), dtype=torch.bool, device=crops.device)
    return (hinge * others).sum(1) / (len(crops) - 1)
