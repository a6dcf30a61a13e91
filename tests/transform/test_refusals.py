"""Every refusal names the argument, the rule and what came."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from torchstn import transform
from torchstn.transform import (
    Affine,
    Attention,
    Basis,
    Displacement,
    FreeForm,
    Rigid,
    Similarity,
    ThinPlate,
    Translation,
)

ONES = torch.ones(2, 6)
INF, NAN = float("inf"), float("nan")

REFUSALS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "four dimensions": (lambda: Affine(dims=4), ValueError, "`dims` must be 1, 2 or 3, got 4"),
    "dimensions of a fraction": (lambda: Affine(dims=2.0), ValueError, "`dims` must be 1, 2 or 3, got 2.0"),
    "dimensions of truth": (lambda: Affine(dims=True), ValueError, "`dims` must be 1, 2 or 3, got True"),
    "points on four axes": (lambda: ThinPlate((4, 4), dims=4), ValueError, "`dims` must be 1, 2 or 3, got 4"),
    "points on no axis": (lambda: ThinPlate(4, dims=0), ValueError, "`dims` must be 1, 2 or 3, got 0"),
    "theta too short": (
        lambda: Affine()(ONES[:, :5], (3, 4)),
        ValueError,
        r"`theta` of Affine must be \(n, 6\)",
    ),
    "theta without batch": (lambda: Affine()(ONES[0], (3, 4)), ValueError, r"got \(6,\)"),
    "theta of whole numbers": (
        lambda: Affine()(ONES.long(), (3, 4)),
        TypeError,
        "`theta` must be floating point",
    ),
    "theta a list": (
        lambda: Affine()([1.0] * 6, (3, 4)),
        TypeError,
        "`theta` must be a torch.Tensor, got list",
    ),
    "size a number": (lambda: Affine()(ONES, 4), TypeError, "`size` must be a sequence of 2"),
    "size too short": (lambda: Affine()(ONES, (3,)), ValueError, r"`size` must be \(h, w\)"),
    "size with a zero": (lambda: Affine()(ONES, (3, 0)), ValueError, "`size` must be positive"),
    "size of fractions": (lambda: Affine()(ONES, (3, 4.0)), TypeError, "`size` must hold whole numbers"),
    "size of truths": (lambda: Affine()(ONES, (3, True)), TypeError, "`size` must hold whole numbers"),
    "input size below zero": (lambda: Affine()(ONES, (3, 4), input_size=(3, -1)), ValueError, "`input_size`"),
    "spacing of zero": (
        lambda: Affine()(ONES, (3, 4), spacing=(1, 0)),
        ValueError,
        "`spacing` must be 2 positive",
    ),
    "spacing too short": (
        lambda: Affine()(ONES, (3, 4), spacing=(1,)),
        ValueError,
        "`spacing` must be 2 positive",
    ),
    "spacing a number": (
        lambda: Rigid()(ONES[:, :3], (3, 4), spacing=1.0),
        ValueError,
        "`spacing` must be 2 positive, finite .* got 1.0",
    ),
    "spacing without end": (
        lambda: Rigid()(ONES[:, :3], (3, 4), spacing=(INF, 1.0)),
        ValueError,
        r"`spacing` must be 2 positive, finite .* got \(inf, 1.0\)",
    ),
    "bound of zero": (
        lambda: Affine(max_shift=0),
        ValueError,
        "`max_shift` must be finite and above 0, or None for no bound, got 0",
    ),
    "bound NaN": (lambda: Rigid(max_angle=NAN), ValueError, "`max_angle` must be finite"),
    "bound without end": (lambda: Translation(max_shift=INF), ValueError, "or None for no bound, got inf"),
    "bound a word": (
        lambda: Translation(max_shift="0.1"),
        TypeError,
        "`max_shift` must be a number, got '0.1'",
    ),
    "start of NaN": (lambda: Affine(initial=[NAN] * 6), ValueError, r"`initial` must be finite, got \[nan"),
    "start too short": (
        lambda: Affine(initial=[1.0]),
        ValueError,
        r"`initial` of Affine must be \(6,\), got \(1,\)",
    ),
    "negative scale": (
        lambda: Attention(scale=-1),
        ValueError,
        "`scale` must be finite and above 0, or None for a learned one, got -1",
    ),
    "scale without end": (lambda: Attention(scale=INF), ValueError, "`scale` must be finite"),
    "lower bound NaN": (
        lambda: Attention(min_scale=NAN),
        ValueError,
        "`min_scale` must be finite, or None for no bound, got nan",
    ),
    "upper bound without end": (lambda: Attention(max_scale=INF), ValueError, "`max_scale` must be finite"),
    "bounds of a fixed scale": (lambda: Attention(scale=1, max_scale=2), ValueError, "bound a learned scale"),
    "start on a bound": (
        lambda: Attention(min_scale=1.0),
        ValueError,
        r"`initial` must have a scale, .* strictly inside its bounds \(1.0, None\), got 1",
    ),
    "scale that may not change": (
        lambda: Similarity(max_scale_change=1),
        ValueError,
        "`max_scale_change` must be finite and above 1, or None for no bound, got 1",
    ),
    "scale that changes without end": (
        lambda: Similarity(max_scale_change=INF),
        ValueError,
        "`max_scale_change` must be finite",
    ),
    "scale that starts at zero": (lambda: Similarity(initial=[0.0, 0, 0, 0]), ValueError, "strictly inside"),
    "scale that starts below zero": (
        lambda: Similarity(initial=[-1.0, 0, 0, 0]),
        ValueError,
        r"`initial` must have a scale, its first number, .* \(0, None\), got -1",
    ),
    "one control point": (lambda: ThinPlate(1), ValueError, "`points` must be at least 2 along every axis"),
    "points of 3-D in 2-D": (lambda: ThinPlate(points=(3, 3, 3)), ValueError, "`points` must be"),
    "negative smoothing": (lambda: ThinPlate(smoothing=-1), ValueError, "`smoothing` must be 0 or positive"),
    "smoothing without end": (lambda: ThinPlate(smoothing=INF), ValueError, "`smoothing` must be .* finite"),
    "smoothing a word": (lambda: ThinPlate(smoothing="a"), TypeError, "`smoothing` must be a number"),
    "three spline points": (lambda: FreeForm(3), ValueError, "`points` must be at least 4"),
    "field of four axes": (
        lambda: Displacement((2, 3, 4, 5)),
        ValueError,
        r"`field` must be .* got \(2, 3, 4, 5\)",
    ),
    "field a number": (lambda: Displacement(5), TypeError, "`field` must be .* got 5"),
    "functions without a size": (lambda: Basis(3), ValueError, "come with `size`"),
    "no functions": (lambda: Basis(0, (3, 4)), ValueError, "must be positive"),
    "functions of a fraction": (
        lambda: Basis(3.5, (4, 4)),
        TypeError,
        "`functions` must be a whole number, got 3.5",
    ),
    "functions a word": (lambda: Basis("a", (4, 4)), TypeError, "`functions` must be a whole number"),
    "theta elsewhere": (
        lambda: Basis(3, (4, 4))(torch.zeros(1, 6, device="meta"), (5, 5)),
        ValueError,
        "`theta` must be on the device of `functions`, cpu, got meta",
    ),
    "functions without an axis": (lambda: Basis(torch.ones(3)), ValueError, r"floating point \(k, \*size\)"),
    "functions on four axes": (lambda: Basis(2, (2, 3, 4, 5)), ValueError, "`size` must be"),
    "functions on a number": (lambda: Basis(2, 5), TypeError, "`size` must be"),
}


@pytest.mark.parametrize(("call", "error", "message"), REFUSALS.values(), ids=REFUSALS)
def test_names_the_argument_and_the_rule(
    call: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()


def test_whole_numbers_of_any_kind_are_a_size() -> None:
    size = (np.int64(3), np.int32(4))
    grid = Affine(dims=np.int64(2))(ONES, size)
    assert grid.size == (3, 4)
    assert all(type(length) is int for length in grid.size)
    assert FreeForm((np.int64(4), np.int64(5))).n_parameters == 40


def test_the_convention_is_keyword_only_in_every_family() -> None:
    with pytest.raises(TypeError, match="positional"):
        transform.Affine()(ONES, (3, 4), True)
