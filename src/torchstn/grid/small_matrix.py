"""Determinants and adjugates of batches of 1 x 1 to 4 x 4 matrices, written out.

A singular matrix gives a determinant of zero, never an error, and nothing here needs LAPACK or a
data-dependent check: it compiles, exports and differentiates as plain products.
"""

import torch
from torch import Tensor


def determinant(matrix: Tensor) -> Tensor:
    """Determinant of (..., k, k) by expansion along the first row."""
    count = matrix.shape[-1]
    if count == 1:
        return matrix[..., 0, 0]
    if count == 2:
        return matrix[..., 0, 0] * matrix[..., 1, 1] - matrix[..., 0, 1] * matrix[..., 1, 0]
    terms = [matrix[..., 0, column] * _cofactor(matrix, 0, column) for column in range(count)]
    return torch.stack(terms, -1).sum(-1)


def adjugate(matrix: Tensor) -> Tensor:
    """The transposed cofactors of (..., k, k): the inverse times the determinant."""
    count = matrix.shape[-1]
    if count == 1:
        return torch.ones_like(matrix)
    rows = [torch.stack([_cofactor(matrix, j, i) for j in range(count)], -1) for i in range(count)]
    return torch.stack(rows, -2)


def inverse(matrix: Tensor) -> Tensor:
    """Inverts (..., k, k); not finite where the matrix is singular."""
    return adjugate(matrix) / determinant(matrix)[..., None, None]


def _cofactor(matrix: Tensor, row: int, column: int) -> Tensor:
    count = matrix.shape[-1]
    rows = [i for i in range(count) if i != row]
    columns = [j for j in range(count) if j != column]
    minor = torch.stack([torch.stack([matrix[..., i, j] for j in columns], -1) for i in rows], -2)
    return determinant(minor) * (-1) ** (row + column)
