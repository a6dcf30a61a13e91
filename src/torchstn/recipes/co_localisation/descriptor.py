"""e(.): what crops are compared by."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_AT_A_TIME = 500
_TINY = 1e-6


class Descriptor(nn.Module):
    """Features of crops side by side, each kind as weighty as the others.

    Each kind is divided by the root of its total variance over some typical pictures, so that two of them
    are at a squared distance of two on the average, by each kind: the margin of the loss is one.

    Args:
        features: Frozen here: crops (b, c, h, w) to one tensor (b, ...) for each kind.
        typical: (n, c, h, w), the pictures.
    """

    def __init__(self, features: nn.Module, typical: Tensor) -> None:
        super().__init__()
        self.features = features.requires_grad_(False).eval()
        with torch.no_grad():
            batches = [self._kinds(some) for some in typical.split(_AT_A_TIME)]
        spreads = [torch.cat(parts).var(0).sum().sqrt().item() for parts in zip(*batches, strict=True)]
        self.divisors = [max(spread, _TINY) for spread in spreads]

    def forward(self, crops: Tensor) -> Tensor:
        """Descriptors (b, d) of crops (b, c, h, w)."""
        kinds = zip(self._kinds(crops), self.divisors, strict=True)
        return torch.cat([kind / divisor for kind, divisor in kinds], 1)

    def _kinds(self, crops: Tensor) -> list[Tensor]:
        return [kind.flatten(1) for kind in self.features(crops)]


class Activations(nn.Module):
    """A classifier's hidden layers, each after its ReLU, and its scores before the softmax (appendix A.2).

    Args:
        layers: The classifier, layer after layer.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, crops: Tensor) -> list[Tensor]:
        """One tensor (b, ...) a layer that is read."""
        read = []
        x = crops.contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            x = layer(x)
            if isinstance(layer, (nn.ReLU, nn.Linear)):
                read.append(x)
        return read
