"""From a network's raw numbers to parameters: zero is exactly the start, slope one there, bounds held."""

from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.families import EVERY_FAMILY, Family

from torchstn.transform import Similarity, Transform
from torchstn.transform.bounds import around, within

BOUNDS: dict[str, dict[str, Any]] = {
    "translation": {"max_shift": 0.3},
    "attention": {"min_scale": 0.2, "max_scale": 1.7, "max_shift": 0.3},
    "rigid": {"max_angle": 0.8, "max_shift": 0.3},
    "similarity": {"max_scale_change": 2.0, "max_angle": 0.8, "max_shift": 0.3},
    "affine": {"max_linear": 0.4, "max_shift": 0.3},
    "projective": {"max_linear": 0.4, "max_shift": 0.3, "max_perspective": 0.2},
    "thin_plate": {"max_displacement": 0.1},
    "free_form": {"max_displacement": 0.1},
    "displacement": {"max_displacement": 0.1},
    "basis": {"max_displacement": 0.1},
}


def highest_and_lowest(name: str, dims: int, start: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest and the smallest parameters the documentation of BOUNDS allows, written by hand."""
    shift = [0.3] * dims
    turn = [0.8] * {1: 0, 2: 1, 3: 3}[dims]
    rows = ([0.4] * dims + [0.3]) * dims
    reach = {
        "translation": shift,
        "attention": [0.7, *shift],
        "rigid": turn + shift,
        "similarity": [1.0, *turn, *shift],
        "affine": rows,
        "projective": rows + [0.2] * dims,
    }.get(name, [0.1] * len(start))
    high, low = start + torch.tensor(reach), start - torch.tensor(reach)
    if name == "attention":
        low[0] = 0.2
    if name == "similarity":
        low[0] = 0.5
    return high, low


def started(family: Family, *, bounded: bool, moved: bool) -> Transform:
    options = BOUNDS[family.name] if bounded else {}
    if moved:
        plain = family.make()
        options = {**options, "initial": plain.identity() + torch.linspace(0.01, 0.09, plain.n_parameters)}
    return family.make(**options)


@pytest.mark.parametrize("moved", [False, True], ids=["identity", "initial"])
@pytest.mark.parametrize("bounded", [False, True], ids=["free", "bounded"])
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_zero_gives_exactly_the_start_with_slope_one(family: Family, bounded: bool, moved: bool) -> None:
    instance = started(family, bounded=bounded, moved=moved)
    raw = torch.zeros(2, instance.n_parameters, requires_grad=True)
    theta = instance.constrain(raw)
    expected = instance.identity() + torch.linspace(0.01, 0.09, instance.n_parameters) * moved
    assert torch.equal(theta, expected.expand(2, -1))
    slope = torch.func.jacrev(lambda row: instance.constrain(row[None])[0])(raw[0].detach())
    expected_slope = torch.ones(instance.n_parameters)
    if family.name == "similarity":
        expected_slope[0] = expected[0]  # the scale is multiplied by exp(raw)
    assert torch.allclose(slope, expected_slope.diag(), atol=1e-7)


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_bounds_hold_and_are_reached(family: Family) -> None:
    instance = started(family, bounded=True, moved=False)
    high, low = highest_and_lowest(family.name, family.dims, instance.identity())
    for size in (1e6, 1e30):
        raw = torch.full((1, instance.n_parameters), size)
        assert torch.allclose(instance.constrain(raw)[0], high, rtol=1e-6)
        assert torch.allclose(instance.constrain(-raw)[0], low, rtol=1e-6, atol=1e-7)
    raw = 10 * torch.randn(200, instance.n_parameters)
    assert (instance.constrain(raw) <= high + 1e-6).all()
    assert (instance.constrain(raw) >= low - 1e-6).all()


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_each_number_rises_with_its_own_and_none_other(family: Family) -> None:
    instance = started(family, bounded=True, moved=True)
    ramp = torch.linspace(-1.5, 1.5, 301, dtype=torch.float64)
    theta = instance.constrain(ramp[:, None].expand(-1, instance.n_parameters))
    assert (theta.diff(dim=0) > 0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("bound", [None, 1e30], ids=["free", "bounded"])
def test_a_scale_stays_a_positive_number_and_spoils_no_gradient(
    bound: float | None, dtype: torch.dtype
) -> None:
    """exp overflows from 89 on in float32, from 12 on in float16, and its derivative with it."""
    similarity = Similarity(max_scale_change=bound)
    raw = torch.zeros(3, 4, dtype=dtype)
    raw[:2, 0] = torch.tensor([1e4, -1e4])
    raw.requires_grad_()
    theta = similarity.constrain(raw)
    assert theta.isfinite().all()
    assert (theta[:, 0] > 0).all()
    assert torch.equal(theta[2], similarity.identity().to(dtype))
    weight = torch.zeros_like(theta)
    weight[2] = 1
    (gradient,) = torch.autograd.grad(theta, raw, weight)
    assert torch.equal(gradient, weight)


@given(
    raw=st.floats(-1e6, 1e6, width=32),
    start=st.floats(-10, 10, width=32),
    below=st.floats(0.015625, 10, width=32),
    above=st.floats(0.015625, 10, width=32),
)
@example(raw=-1e6, start=1.0, below=0.999, above=1.0)
@settings(max_examples=300)
def test_within_is_within(raw: float, start: float, below: float, above: float) -> None:
    """Rounding must not carry it past a bound: a positive lower bound on a scale forbids mirror images."""
    low, high = start - below, start + above
    value = within(torch.tensor([raw]), torch.tensor([start]), low, high)
    assert torch.tensor(low) <= value <= torch.tensor(high)
    one_sided = within(torch.tensor([raw]), torch.tensor([start]), low, None)
    assert one_sided >= torch.tensor(low)


def test_within_bends_like_the_hyperbolic_tangent_on_either_side() -> None:
    raw = torch.tensor([-3.0, -0.5, 0.0, 0.5, 3.0], dtype=torch.float64)
    start = torch.tensor([1.0], dtype=torch.float64)
    expected = (
        1 + torch.tensor([0.5, 0.5, 1, 2, 2]).double() * (raw / torch.tensor([0.5, 0.5, 1, 2, 2])).tanh()
    )
    assert torch.allclose(within(raw, start, 0.5, 3.0), expected)
    assert torch.equal(within(raw, start, None, None), start + raw)
    assert torch.equal(around(raw, start, None), start + raw)


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_within_is_smooth_at_the_start(start: float) -> None:
    """Curvature zero on both sides, so a bound changes nothing about how training begins."""
    raw = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    value = within(raw, torch.tensor([start], dtype=torch.float64), start - 0.3, start + 2)
    (slope,) = torch.autograd.grad(value, raw, create_graph=True)
    assert slope.item() == 1
    assert torch.autograd.grad(slope, raw)[0].item() == 0
