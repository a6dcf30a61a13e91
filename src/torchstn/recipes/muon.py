"""Muon whose orthogonal steps cost a training on a CPU little beside the network."""

from typing import Any

import torch
from pytorch_optimizer import Muon
from pytorch_optimizer.optimizer.utils.matrix import (
    zero_power_via_gram_newton_schulz,
    zero_power_via_newton_schulz_5,
)
from torch import Tensor

from .precision import AUTO, product_type

_LONG = 1.5
"""From which ratio of its sides on a matrix is better left out of the iteration."""


class QuickMuon(Muon):
    """Muon as pytorch-optimizer has it, but for the way in which the Newton-Schulz iteration is computed.

    The package iterates on the whole matrix in bfloat16, which on a processor without bfloat16 takes longer
    than the network itself. Here long matrices are iterated on their short side, with two products of the
    whole in place of ten, in float32, so that it need not start anew on the way; others in the type that the
    processor is quick in.
    """

    @staticmethod
    def _orthogonalize(group: dict[str, Any], updates: list[Tensor]) -> list[Tensor]:
        return [_orthogonal(update.flatten(1), group["ns_steps"], group["ns_coeffs"]) for update in updates]


def _orthogonal(matrix: Tensor, steps: int, coefficients: Any) -> Tensor:
    if max(matrix.shape) > _LONG * min(matrix.shape):
        return zero_power_via_gram_newton_schulz(
            matrix, num_steps=steps, weights=coefficients, dtype=torch.float32, reset_steps=()
        )
    return zero_power_via_newton_schulz_5(
        matrix, num_steps=steps, weights=coefficients, dtype=product_type(AUTO, matrix.device)
    )
