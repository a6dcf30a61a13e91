"""The networks of the package timm, for whoever has it."""

from typing import Any

import torch
from torch import Tensor, nn

from .named import NamedBackbone

TIMM = "timm:"
"""What the name of such a backbone begins with."""


class Unpooled(nn.Module):
    """A network of timm up to where it would average its maps."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pictures: Tensor) -> Tensor:
        maps: Tensor = self.model.forward_features(pictures)
        return maps


def create_timm(name: str, **choices: Any) -> Any:
    """`timm.create_model`, its refusals as ValueErrors.

    Args:
        name: As timm calls the network, such as "resnet18".
        **choices: For timm.

    Raises:
        ValueError: If timm is not installed, has no such network, or cannot get its weights.
    """
    try:
        import timm  # whoever wants it installs it
    except ModuleNotFoundError as error:
        raise ValueError(
            f"`timm:{name}` needs the package {error.name}, which is missing; run pip install timm."
        ) from error
    try:
        return timm.create_model(name, **choices)
    except (RuntimeError, OSError, AttributeError) as error:
        weights = " with its weights" if choices.get("pretrained") else ""
        raise ValueError(f"timm cannot make {name!r}{weights}: {error}") from error


def timm_backbone(name: str, *, pretrained: bool) -> NamedBackbone:
    """A network of timm up to its last maps.

    Args:
        name: As timm calls it.
        pretrained: With the weights that timm knows, from the Hugging Face hub.

    Raises:
        ValueError: If timm cannot make it, or it makes no maps (n, channels, h, w) of pictures.
    """
    model = create_timm(name, pretrained=pretrained, num_classes=0)
    settings = model.pretrained_cfg
    channels, height, width = settings["input_size"]
    network = Unpooled(model)
    with torch.no_grad():
        shape = tuple(network.eval()(torch.zeros(1, channels, height, width)).shape)
    network.train()
    if channels != 3 or len(shape) != 4 or shape[1] != model.num_features:
        raise ValueError(
            f"`backbone` must make maps (n, c, h, w) of pictures (n, 3, h, w), but timm's {name!r} makes "
            f"{shape} of {(1, channels, height, width)}; take a convolutional network, such as timm:resnet18."
        )
    return NamedBackbone(
        TIMM + name,
        network,
        [feature["module"] for feature in model.feature_info],
        channels=shape[1],
        mean=settings["mean"],
        std=settings["std"],
        inside="model",
    )
