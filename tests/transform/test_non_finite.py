"""Parameters that are not finite read outside, with zero gradient, and spoil nothing else."""

import pytest
import torch
from support.families import EVERY_FAMILY, FAMILIES, IN_2D, Family, random_theta
from torch import Tensor

from torchstn import sample, transform
from torchstn._types import Padding

pytestmark = pytest.mark.usefixtures("each_backend")

BAD = [float("nan"), float("inf"), float("-inf")]
PADDINGS: tuple[Padding, ...] = ("zeros", "border", "reflection", "circular", "fill")


def with_bad(theta: Tensor, value: float, *, sample: int = 1) -> Tensor:
    bad = theta.clone()
    bad[sample, theta.shape[1] // 2] = value
    return bad.requires_grad_()


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_reads_outside_and_leaves_the_others_alone(family: Family, value: float) -> None:
    size = (4, 3, 5)[-family.dims :]
    instance = family.make()
    clean = random_theta(instance, 3, dtype=torch.float32).requires_grad_()
    bad = with_bad(clean.detach(), value)
    image = torch.randn(3, 2, *size)
    for padding in PADDINGS:
        first, second = image.clone().requires_grad_(), image.clone().requires_grad_()
        fill = 0.75 if padding == "fill" else 0.0
        expected = sample(first, instance(clean, size), padding=padding, fill=fill)
        output = sample(second, instance(bad, size), padding=padding, fill=fill)

        assert torch.equal(output[::2], expected[::2])
        assert (output[1] == fill).all()
        weight = torch.randn_like(output)
        wanted = torch.autograd.grad((expected * weight)[::2].sum(), (clean, first, *instance.parameters()))
        found = torch.autograd.grad((output * weight).sum(), (bad, second, *instance.parameters()))
        assert (found[0][1] == 0).all()
        assert (found[1][1] == 0).all()
        assert wanted[0][::2].any()
        for actual, desired in zip(found, wanted, strict=True):
            assert torch.equal(actual, desired)


@pytest.mark.parametrize("first_bad", [False, True], ids=["second", "first"])
@pytest.mark.parametrize("other", ["affine", "projective", "thin_plate", "displacement", "basis"])
@pytest.mark.parametrize("family", IN_2D)
def test_a_composition_keeps_the_gradients_of_the_other_factor(
    family: Family, other: str, first_bad: bool
) -> None:
    """Zero times NaN is NaN: each factor's gradient holds a product with the other's values."""
    size = (4, 5)
    instance = family.make()
    partner = next(item.make() for item in FAMILIES if item.id == f"{other}-2d")
    theta = random_theta(partner, 2, dtype=torch.float32).requires_grad_()
    bad = with_bad(random_theta(instance, 2, dtype=torch.float32), float("nan"))
    pair = [instance(bad, size), partner(theta, size)]
    grid = pair[1 - first_bad] @ pair[first_bad]
    output = sample(torch.randn(2, 1, 4, 5), grid)
    assert (output[1] == 0).all()
    assert output[0].any()
    leaves = (bad, theta, *instance.parameters(), *partner.parameters())
    gradients = torch.autograd.grad(output.square().sum(), leaves)
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert (gradients[0][1] == 0).all()
    assert (gradients[1][1] == 0).all()
    assert gradients[0][0].any()
    assert gradients[1][0].any()


def test_one_grid_shared_by_a_batch_with_a_bad_sample_keeps_its_gradient() -> None:
    shared = torch.zeros(1, 18, requires_grad=True)
    bad = with_bad(torch.zeros(3, 6), float("nan"))
    for swap in (False, True):
        pair = [transform.ThinPlate(3)(shared, (4, 5)), transform.Affine()(bad, (4, 5))]
        grid = pair[swap] @ pair[1 - swap]
        (gradient,) = torch.autograd.grad(sample(torch.randn(1, 1, 4, 5), grid).sum(), shared)
        assert gradient.isfinite().all()


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_an_inverse_reads_outside_with_zero_gradient(family: Family) -> None:
    size = (4, 3, 5)[-family.dims :]
    instance = family.make()
    bad = with_bad(random_theta(instance, 2, scale=0.02, dtype=torch.float32), float("nan"))
    inverse = instance(bad, size).inverse()
    output = sample(torch.randn(2, 1, *size), inverse)
    assert (output[1] == 0).all()
    assert output[0].any()
    gradients = torch.autograd.grad(output.square().sum(), (bad, *instance.parameters()))
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert gradients[0][0].any()


def test_a_grid_of_bad_parameters_keeps_them_to_be_counted() -> None:
    theta = torch.tensor([[float("nan"), 0.0]])
    grid = transform.Translation()(theta, (3, 4))
    assert grid.theta is theta
    assert grid.coverage().item() == 0


@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_a_denominator_of_zero_reads_outside(padding: str) -> None:
    """1 + 4 x / 3 is zero in the first of four columns, at x = -3/4."""
    theta = torch.tensor([[1.0, 0, 0, 0, 1, 0, 4 / 3, 0]], dtype=torch.float64, requires_grad=True)
    grid = transform.Projective()(theta, (3, 4))
    denominator = 1 + theta[0, 6] * grid.detach().points().new_tensor([-0.75, -0.25, 0.25, 0.75])
    assert denominator[0] == 0
    image = torch.rand(1, 1, 3, 4, dtype=torch.float64) + 1
    output = sample(image, grid, padding=padding)  # type: ignore[call-overload]
    assert (output[..., 0] == 0).all()
    assert (output[..., 1:] != 0).all() or padding == "zeros"
    (gradient,) = torch.autograd.grad(output.sum(), theta, create_graph=True)
    assert gradient.isfinite().all()
    (second,) = torch.autograd.grad(gradient.square().sum(), theta)
    assert second.isfinite().all()
    assert grid.coverage().item() < 1


def test_a_negative_denominator_divides_normally() -> None:
    """The point opposite: (x, y) / -1."""
    theta = torch.tensor([[1.0, 0, 0, 0, 1, 0, 0, -4.0]])
    grid = transform.Projective()(theta, (2, 2))
    assert torch.equal(grid.at(torch.tensor([[[0.5, 0.5]]])), torch.tensor([[[-0.5, -0.5]]]))
