"""What a localisation network is: image -> features, of a known number."""

from typing import Any

from torch import Tensor, nn

from .._checks import check_count


class Localisation(nn.Module):
    """image -> features (n, out_features); the spatial transformer adds the regression layer.

    Attributes:
        out_features: Length of the feature vectors.
    """

    out_features: int

    def __init__(self, out_features: int) -> None:
        super().__init__()
        self.out_features = check_count("out_features", out_features)


class Backbone(Localisation):
    """Turns any network into a localisation network.

    Maps (n, c, *size) are averaged over their spatial axes; vectors (n, c) are taken as they are. A network
    that returns several outputs needs a wrapper that picks one.

    Args:
        network: Any module from an image to maps or vectors.
        out_features: Their number of channels, c.

    Raises:
        TypeError: If `network` is not a module.
    """

    def __init__(self, network: nn.Module, out_features: int) -> None:
        super().__init__(out_features)
        if not isinstance(network, nn.Module):
            raise TypeError(f"`network` must be a torch.nn.Module, got {type(network).__name__}.")
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        features = check_returned(self.network(image))
        if features.ndim > 2:
            features = features.flatten(2).mean(2)
        if features.ndim != 2 or features.shape[1] != self.out_features:
            raise ValueError(
                f"`network` must return (n, {self.out_features}) or (n, {self.out_features}, *size), as "
                f"`out_features` says, got {tuple(features.shape)}."
            )
        return features


def check_returned(value: Any) -> Tensor:
    """What a user's `network` returned, if that is a tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(
            f"`network` must return a tensor, got {type(value).__name__}; wrap it in a module that picks one."
        )
    return value
