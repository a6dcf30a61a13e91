"""The same networks on the same digits as the PyTorch tutorial on spatial transformers would have them.

Plain modules, `F.affine_grid` and `F.grid_sample`, eager, float32, a Dataset that distorts image by image
with Pillow, as torchvision's RandomAffine does, and a DataLoader in the same process.
"""

import copy
import math
import random

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from torchstn.localisation import Convolutional
from torchstn.recipes.digits import Digits
from torchstn.recipes.networks import DigitClassifier, Halving

CANVAS = {"R": 28, "RTS": 42}


class DistortedDigits(Dataset[tuple[Tensor, int]]):
    """Digits distorted as they are fetched.

    Args:
        digits: Undistorted.
        distortion: "R" or "RTS".
    """

    def __init__(self, digits: Digits, distortion: str) -> None:
        self.images = [Image.fromarray(image.numpy()) for image in digits.images]
        self.labels = digits.labels.tolist()
        self.distort = {"R": _turned, "RTS": _placed}[distortion]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        pixels = np.asarray(self.distort(self.images[index]), dtype=np.float32) / 255
        return torch.from_numpy(pixels).unsqueeze(0), self.labels[index]


def _turned(digit: Image.Image) -> Image.Image:
    return digit.rotate(random.uniform(-90, 90), resample=Image.Resampling.BILINEAR)  # noqa: S311


def _placed(digit: Image.Image) -> Image.Image:
    """Turned, scaled, and anywhere on the canvas: the matrix goes from its pixels to the digit's."""
    angle, scale = math.radians(random.uniform(-45, 45)), random.uniform(0.7, 1.2)  # noqa: S311
    cosine, sine = math.cos(angle) / scale, math.sin(angle) / scale
    room = (CANVAS["RTS"] - 28 * scale) / 2
    x, y = (CANVAS["RTS"] / 2 + room * random.uniform(-1, 1) for _ in range(2))  # noqa: S311
    matrix = (cosine, sine, 14 - cosine * x - sine * y, -sine, cosine, 14 + sine * x - cosine * y)
    size = (CANVAS["RTS"], CANVAS["RTS"])
    return digit.transform(size, Image.Transform.AFFINE, matrix, resample=Image.Resampling.BILINEAR)


class Transformer(nn.Module):
    """The tutorial's `stn`, with the layers and weights of one of ours."""

    def __init__(self, localization: nn.Sequential, fc_loc: nn.Linear) -> None:
        super().__init__()
        self.localization, self.fc_loc = localization, fc_loc

    def forward(self, x: Tensor) -> Tensor:
        theta = self.fc_loc(self.localization(x)).view(-1, 2, 3)
        grid = F.affine_grid(theta, list(x.size()), align_corners=True)
        return F.grid_sample(x, grid, align_corners=True)


class Net(nn.Module):
    """The tutorial's network, with the layers and weights of one of ours.

    Args:
        ours: With an affine transformer or none.
    """

    def __init__(self, ours: DigitClassifier) -> None:
        super().__init__()
        self.transformer = _transformer(ours) if ours.transformers else None
        self.pool = nn.AvgPool2d(2) if isinstance(ours.pool, Halving) else nn.Identity()
        self.classifier = _plain(ours.classifier)

    def forward(self, x: Tensor) -> Tensor:
        if self.transformer is not None:
            x = self.transformer(x)
        return self.classifier(self.pool(x))


def loader(digits: Digits, distortion: str, batch: int) -> DataLoader[tuple[Tensor, int]]:
    """Batches, shuffled, made in this process."""
    return DataLoader(DistortedDigits(digits, distortion), batch, shuffle=True, drop_last=True)


def _transformer(ours: DigitClassifier) -> Transformer:
    (st,) = ours.transformers
    layers = [nn.AvgPool2d(2)] if isinstance(st.localisation, Convolutional) else []
    fc_loc = nn.Linear(st.head.in_features, 6)
    with torch.no_grad():
        fc_loc.weight.copy_(st.head.weight)
        fc_loc.bias.copy_(st.head.bias + torch.tensor([1.0, 0, 0, 0, 1, 0]))
    return Transformer(nn.Sequential(*layers, *_plain(st.localisation.layers)), fc_loc)


def _plain(layers: nn.Module) -> nn.Sequential:
    """Copies of torch's own layers, in torch's usual memory format."""
    found = [_convolution(layer) for layer in copy.deepcopy(layers).children()]
    return nn.Sequential(*found).to(memory_format=torch.contiguous_format)


def _convolution(layer: nn.Module) -> nn.Module:
    if not isinstance(layer, nn.Conv2d):
        return layer
    plain = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size)
    plain.load_state_dict(layer.state_dict())
    return plain
