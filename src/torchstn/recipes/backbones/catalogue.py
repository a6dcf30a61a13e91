"""Every backbone by its name."""

from .efficientnet_lite import NAME as LITE
from .efficientnet_lite import efficientnet_lite0
from .named import NamedBackbone
from .small import small
from .timm_models import TIMM, timm_backbone

BACKBONES = ("small", LITE, f"{TIMM}NAME")
"""The names; `timm:` is followed by timm's own name of a network."""


def build_backbone(name: str, *, pretrained: bool = True) -> NamedBackbone:
    """A backbone by name.

    Args:
        name: "small", to be trained from scratch; "efficientnet-lite0", with ImageNet weights that come in
            a package; or "timm:" and the name of any convolutional network of timm, if that is installed.
        pretrained: With ImageNet weights, where there are any. What is to get other weights needs none.

    Raises:
        ValueError: If there is no such backbone, timm is not installed, or weights cannot be had.
    """
    check_backbone(name)
    if name == LITE:
        return efficientnet_lite0(pretrained=pretrained)
    if name.startswith(TIMM):
        return timm_backbone(name.removeprefix(TIMM), pretrained=pretrained)
    return small()


def check_backbone(name: str) -> None:
    """Refuses a name that no backbone has; whether timm knows one only timm can tell.

    Raises:
        ValueError: If the name is none of those listed.
    """
    if name not in BACKBONES[:2] and not (name.startswith(TIMM) and name != TIMM):
        raise ValueError(f"`backbone` must be one of {', '.join(BACKBONES)}, got {name!r}.")
