"""The regression layer every localisation network ends in."""

from collections.abc import Callable
from typing import Self

from torch import Tensor, nn

from .._precision import exact_matmul, keep_precision


class RegressionHead(nn.Linear):
    """Features to the transform's raw numbers; its weights and bias start at zero.

    Training therefore starts at the identity. Runs in float32 (float64 in a float64 model) outside autocast,
    whatever the features' type: in bfloat16 a head alone costs half a pixel at 224 pixels.

    Args:
        features: Length of the feature vectors.
        n_parameters: Numbers to predict.
    """

    def __init__(self, features: int, n_parameters: int) -> None:
        super().__init__(features, n_parameters)

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, features: Tensor) -> Tensor:
        return exact_matmul(features.to(self.weight.dtype), self.weight.T) + self.bias

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        return super()._apply(keep_precision(fn), recurse)  # type: ignore[no-untyped-call]  # torch's own
