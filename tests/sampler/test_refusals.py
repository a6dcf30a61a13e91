"""Every refusal names the argument, the rule, what came, and the fix where there is one."""

import re
from typing import Any

import pytest
import torch

import torchstn as stn

IMAGE = torch.zeros(2, 3, 4, 5)
POINTS = torch.zeros(2, 6, 7, 2)
GRID = stn.transform.Affine()(torch.eye(2, 3).view(1, 6), (6, 7), align_corners=True)

WRONG_TYPES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "an array": (
        ([1.0], POINTS),
        {},
        "`image` must be a torch.Tensor, got list",
    ),
    "no grid": (
        (IMAGE, "grid"),
        {},
        "`grid` must be a Grid or a tensor of points (n, *out, d), got str",
    ),
    "whole points": (
        (IMAGE, POINTS.long()),
        {},
        "`grid` must be floating point, got torch.int64; convert",
    ),
    "a bare function": (
        (IMAGE, POINTS),
        {"kernel": abs},
        "`kernel` must be a name or a torchstn.Kernel, got builtin_function_or_method",
    ),
    "labels between pixels": (
        (IMAGE.long(), POINTS),
        {},
        (
            "`image` of type torch.int64 has no values between pixels: use kernel='nearest', or "
            "convert it with `.float()`"
        ),
    ),
    "truth between pixels": (
        (IMAGE.bool(), POINTS),
        {"kernel": stn.Kernel(torch.cos, 1)},
        "`image` of type torch.bool",
    ),
    "a word of fill": (
        (IMAGE, POINTS),
        {"padding": "fill", "fill": "red"},
        "`fill` must be a number or one per channel, got 'red'",
    ),
    "fill of nothing": (
        (IMAGE, POINTS),
        {"padding": "fill", "fill": None},
        "`fill` must be a number or one per channel, got None",
    ),
    "complex fill": (
        (IMAGE, POINTS),
        {"padding": "fill", "fill": 1j},
        "`fill` must be real for an image of type torch.float32, got 1j",
    ),
}
WRONG_VALUES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no batch": (
        (IMAGE[0], POINTS),
        {},
        "`image` must be (n, c, h, w) for a grid of 2 dimension(s), got (3, 4, 5)",
    ),
    "a volume": (
        (IMAGE[..., None], POINTS),
        {},
        "`image` must be (n, c, h, w) for a grid of 2",
    ),
    "points of no axis": (
        (IMAGE, torch.zeros(2, 2)),
        {},
        "`grid` must be (n, w, 1), (n, h, w, 2) or (n, d, h, w, 3), got (2, 2)",
    ),
    "three numbers in 2-D": (
        (IMAGE, torch.zeros(2, 6, 7, 3)),
        {},
        "`grid` must be (n, w, 1), (n, h, w, 2)",
    ),
    "no points": (
        (IMAGE, POINTS[:, :0]),
        {},
        "`grid` must hold at least one point along every axis, got (2, 0, 7, 2)",
    ),
    "no pixels": (
        (IMAGE[..., :0], POINTS),
        {},
        "`image` must have at least one pixel along every axis, got (2, 3, 4, 0)",
    ),
    "unequal batches": (
        (IMAGE, POINTS.repeat(2, 1, 1, 1)),
        {},
        "`image` and `grid` must have the same batch size, or one of them a batch of 1, got 2 and 4",
    ),
    "another device": (
        (IMAGE, POINTS.to("meta")),
        {},
        "`grid` must be on the device of `image`, cpu, got meta; move it with `.to('cpu')`",
    ),
    "another convention": (
        (IMAGE, GRID),
        {"align_corners": False},
        "`align_corners` belongs to the grid, which has True; got False. Leave it out",
    ),
    "unknown kernel": (
        (IMAGE, POINTS),
        {"kernel": "sinc"},
        (
            "`kernel` must be one of 'nearest', 'linear', 'cubic', 'bspline3', 'lanczos3', "
            "'bilinear', 'bicubic' or a torchstn.Kernel, got 'sinc'"
        ),
    ),
    "unknown padding": (
        (IMAGE, POINTS),
        {"padding": "mirror"},
        "`padding` must be one of 'zeros', 'border', 'reflection', 'circular', 'fill', got 'mirror'",
    ),
    "no padding": (
        (IMAGE, POINTS),
        {"padding": None},
        "`padding` must be one of",
    ),
    "unknown backend": (
        (IMAGE, POINTS),
        {"backend": "cuda"},
        "`backend` must be one of 'auto', ",
    ),
    "unused fill": (
        (IMAGE, POINTS),
        {"fill": 0.5},
        "`fill` is used with padding='fill' only, got 0.5 with padding='zeros'",
    ),
    "unused fills": (
        (IMAGE, POINTS),
        {"fill": [0.0] * 3},
        "`fill` is used with padding='fill' only",
    ),
    "too few fills": (
        (IMAGE, POINTS),
        {"padding": "fill", "fill": [0.5, 0.1]},
        "`fill` must be a number or one per channel (3,), got (2,)",
    ),
    "a picture of fills": (
        (IMAGE, POINTS),
        {"padding": "fill", "fill": IMAGE},
        "`fill` must be a number or one per channel (3,), got (2, 3, 4, 5)",
    ),
    "no number among whole ones": (
        (IMAGE.byte(), POINTS),
        {"padding": "fill", "fill": float("nan")},
        "`fill` must not be NaN for an image of type torch.uint8, got nan",
    ),
    "no number in one channel": (
        (IMAGE.int(), POINTS),
        {"kernel": "nearest", "padding": "fill", "fill": [0.0, 1.0, float("nan")]},
        "`fill` must not be NaN for an image of type torch.int32, got [0.0, 1.0, nan]",
    ),
    "fill elsewhere": (
        (IMAGE, POINTS),
        {"padding": "fill", "fill": torch.zeros(3, device="meta")},
        "`fill` must be on the device of `image`, cpu, got meta",
    ),
}


@pytest.mark.parametrize(("arguments", "options", "message"), WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_sample_refuses_a_type(arguments: tuple[Any, Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        stn.sample(*arguments, **options)


@pytest.mark.parametrize(("arguments", "options", "message"), WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_sample_refuses_a_value(arguments: tuple[Any, Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        stn.sample(*arguments, **options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"kernel": "sinc"}, ValueError, "`kernel` must be one of"),
        ({"kernel": 3}, TypeError, "`kernel` must be a name or a torchstn.Kernel, got int"),
        ({"padding": "mirror"}, ValueError, "`padding` must be one of"),
        ({"backend": "cuda"}, ValueError, "`backend` must be one of"),
        ({"fill": 1.0}, ValueError, "`fill` is used with padding='fill' only, got 1.0 with padding='zeros'"),
    ],
    ids=lambda value: None if isinstance(value, (str, type)) else "-".join(value),
)
def test_the_module_refuses_when_it_is_made(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        stn.Sampler(**options)


@pytest.mark.parametrize(
    ("function", "support", "error", "message"),
    [
        (3, 1.0, TypeError, "`function` must be callable, distances to weights, got int"),
        (abs, 0.4, ValueError, "`support` must be in [0.5, 32] pixels, got 0.4"),
        (abs, 33.0, ValueError, "`support` must be in [0.5, 32] pixels, got 33.0"),
        (abs, float("nan"), ValueError, "`support` must be in [0.5, 32] pixels, got nan"),
    ],
    ids=["no function", "no support", "too wide", "not a number"],
)
def test_a_kernel_refuses(function: Any, support: float, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        stn.Kernel(function, support)


def test_the_grids_own_convention_may_be_repeated() -> None:
    assert stn.sample(IMAGE, GRID, align_corners=True).shape == (2, 3, 6, 7)
