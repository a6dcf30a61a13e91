"""The transformer that is trained: an attention window, and the paper's small localisation network."""

import torch
from torch import Tensor, nn

from ... import SpatialTransformer, transform
from ...localisation import Backbone

FILTERS, WINDOW = 8, 9
START = 1 / 3
"""Of the scale: also the paper's 28 of 84 pixels."""
REACH = 0.8


def localiser(
    channels: int, side: int, crop: int, *, stride: int, hidden: int, growth: float, seed: int
) -> SpatialTransformer:
    """Conv 8 x 9 x 9 - max-pool 2 - FC 8 - FC 8 - scale and place (appendix A.2).

    The scale stays within a factor of its start and the centre within 0.8 of the middle, or the window would
    grow beyond the image, or leave it: where every crop is black, all are alike.

    Args:
        channels: Of the images.
        side: Of the images, in pixels.
        crop: Side of what is cut out.
        stride: Of the convolution; 4 in the paper.
        hidden: Units of the two layers; 8 in the paper.
        growth: The factor.
        seed: Of the initial weights.
    """
    pooled = ((side - WINDOW) // stride + 1) // 2
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Conv2d(channels, FILTERS, WINDOW, stride=stride),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(FILTERS * pooled**2, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )
    window = transform.Attention(
        min_scale=START / growth, max_scale=START * growth, max_shift=REACH, initial=(START, 0.0, 0.0)
    )
    return SpatialTransformer(Backbone(network, hidden), window, size=(crop, crop), align_corners=True)


def boxes_of(theta: Tensor, side: int, crop: int) -> Tensor:
    """The boxes of attention windows in pixels.

    Args:
        theta: (n, 3), scale and centre, -1 and 1 the centres of the corner pixels.
        side: Of the images.
        crop: Side of what is cut out.

    Returns:
        (n, 4) as (x0, y0, x1, y1): outer edges, the image's being 0 and `side`.
    """
    centre = (theta[:, 1:] + 1) / 2 * (side - 1) + 0.5
    half = theta[:, :1] * (side - 1) / 2 * crop / (crop - 1)
    return torch.cat((centre - half, centre + half), 1)


def overlap(left: Tensor, right: Tensor) -> Tensor:
    """Intersection over union of boxes (n, 4) and boxes (n, 4): (n,)."""
    low, high = torch.maximum(left[:, :2], right[:, :2]), torch.minimum(left[:, 2:], right[:, 2:])
    common = (high - low).clamp(min=0).prod(1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (left, right)]
    return common / (areas[0] + areas[1] - common)
