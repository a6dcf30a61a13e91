"""theta -> points and theta -> sample: every derivative, in every mode."""

from collections.abc import Callable

import pytest
import torch
from support.families import EVERY_CONVENTION, EVERY_FAMILY, IN_2D, Family, random_theta, smooth_image
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from torchstn import sample

NONLINEAR = ("similarity", "projective", "thin_plate")
"""Families to stand for the others where every combination would take long; the sampler bends them all."""
SIZE = (3, 2, 4)
IMAGE = (4, 3, 5)


def points_of(family: Family, *, align_corners: bool = False) -> Callable[[Tensor], Tensor]:
    instance = family.make()
    return lambda theta: instance(theta, SIZE[-family.dims :], align_corners=align_corners).points()


def sample_of(family: Family, kernel: str = "cubic") -> Callable[[Tensor], Tensor]:
    """Cubic: smooth enough for second derivatives wherever a point lies."""
    instance = family.make()
    image = smooth_image(IMAGE[-family.dims :])[:, :1]

    def warped(theta: Tensor) -> Tensor:
        grid = instance(theta, SIZE[-family.dims :], input_size=IMAGE[-family.dims :])
        return sample(image, grid, kernel=kernel, padding="border")  # type: ignore[call-overload]

    return warped


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_points_by_differences(family: Family, align_corners: bool) -> None:
    theta = random_theta(family.make(), 1).requires_grad_()
    function = points_of(family, align_corners=align_corners)
    assert gradcheck(function, theta, check_forward_ad=True, fast_mode=True)
    if not align_corners:
        assert gradgradcheck(function, theta, check_fwd_over_rev=True, fast_mode=True)


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_samples_by_differences(family: Family) -> None:
    theta = random_theta(family.make(), 1).requires_grad_()
    assert gradcheck(sample_of(family), theta, check_forward_ad=True, fast_mode=True)
    assert gradgradcheck(sample_of(family), theta, fast_mode=True)


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_at_the_identity_first_and_second_are_finite_and_right(family: Family) -> None:
    """The rotation vector's angle is zero there, and the thin plate's points may lie on control points."""
    theta = family.make().identity().double()[None].requires_grad_()
    for function in (points_of(family, align_corners=True), sample_of(family)):
        value = function(theta)
        weight = torch.randn_like(value)  # the plain sum of squares has its minimum here for some
        (gradient,) = torch.autograd.grad((value + weight).square().sum(), theta, create_graph=True)
        assert gradient.isfinite().all()
        assert gradient.any()
        if gradient.requires_grad:  # a family linear in theta has constant points
            (second,) = torch.autograd.grad(gradient.square().sum(), theta)
            assert second.isfinite().all()
    assert gradcheck(points_of(family), theta, fast_mode=True)
    assert gradgradcheck(points_of(family), theta, fast_mode=True)


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_forward_mode_agrees_with_reverse(family: Family) -> None:
    theta = random_theta(family.make(), 2)
    tangent = torch.randn_like(theta)
    for function in (points_of(family), sample_of(family)):
        value, pushed = torch.func.jvp(function, (theta,), (tangent,))
        torch.testing.assert_close(value, function(theta))
        reverse = torch.func.jacrev(function)(theta)
        torch.testing.assert_close(pushed, torch.einsum("...np,np->...", reverse, tangent))
        torch.testing.assert_close(torch.func.jacfwd(function)(theta), reverse)


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_vmap_over_theta_is_the_batch(family: Family) -> None:
    instance = family.make()
    theta = random_theta(instance, 3)
    for function in (points_of(family), sample_of(family)):
        batched = torch.func.vmap(lambda row, f=function: f(row[None])[0])(theta)
        torch.testing.assert_close(batched, function(theta))


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_vmap_returns_and_takes_a_grid(family: Family) -> None:
    instance = family.make()
    size = SIZE[-family.dims :]
    theta = random_theta(instance, 3)
    grids = torch.func.vmap(lambda row: instance(row[None], size))(theta)
    expected = instance(theta, size).points()
    torch.testing.assert_close(torch.func.vmap(lambda grid: grid.points()[0])(grids), expected)


@pytest.mark.parametrize("family", [item for item in IN_2D if item.id in NONLINEAR])
def test_hessians_of_every_order_agree(family: Family) -> None:
    instance = family.make()
    theta = random_theta(instance, 1)[0]

    def loss(row: Tensor) -> Tensor:
        return sample_of(family)(row[None]).square().sum()

    forward, reverse = torch.func.jacfwd, torch.func.jacrev
    expected = torch.autograd.functional.hessian(loss, theta)
    assert expected.any()
    for outer in (forward, reverse):
        for inner in (forward, reverse):
            torch.testing.assert_close(outer(inner(loss))(theta), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("family", IN_2D)
def test_batched_gradients(family: Family) -> None:
    """Several cotangents at once, as `torch.autograd.functional.jacobian(vectorize=True)` asks."""
    theta = random_theta(family.make(), 1)
    vectorised = torch.autograd.functional.jacobian(sample_of(family), theta, vectorize=True)
    torch.testing.assert_close(vectorised, torch.autograd.functional.jacobian(sample_of(family), theta))


def test_an_image_and_a_theta_of_one_batch_under_grad_of_vmap() -> None:
    """Per-sample gradients, as differential privacy wants them."""
    from torchstn import transform

    family, images, theta = transform.ThinPlate(3), torch.randn(4, 2, 6, 7), 0.1 * torch.randn(4, 18)

    def loss(row: Tensor, image: Tensor) -> Tensor:
        return sample(image[None], family(row[None], (6, 7))).square().sum()

    found = torch.func.vmap(torch.func.grad(loss))(theta, images)
    leaf = theta.clone().requires_grad_()
    sample(images, family(leaf, (6, 7))).square().sum().backward()
    torch.testing.assert_close(found, leaf.grad, rtol=1e-4, atol=1e-5)
