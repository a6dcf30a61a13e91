"""first @ second reads where sampling twice would, in one interpolation."""

import pytest
import torch
from support.closeness import assert_close
from support.families import EVERY_CONVENTION, FAMILIES, Family, random_theta, smooth_image
from support.gradients import assert_gradients_agree
from torch import Tensor

from torchstn import Grid, sample, transform
from torchstn.grid import BasisGrid, MatrixGrid, PointGrid

KINDS = ("affine", "projective", "thin_plate", "free_form", "displacement", "basis")
PAIRS = [
    pytest.param(first, second, id=f"{first.name}@{second.name}-{dims}d")
    for dims in (1, 2, 3)
    for first in FAMILIES
    for second in FAMILIES
    if first.dims == second.dims == dims and first.name in KINDS and second.name in KINDS
    if dims == 2 or first.name != "basis" != second.name  # all pairs in 2-D, most elsewhere
]
FIRST_SIZE, SECOND_SIZE = (6, 7, 5), (3, 5, 4)


def grids(
    first: Family, second: Family, align_corners: bool, batches: tuple[int, int] = (2, 2)
) -> tuple[Grid, Grid]:
    d = first.dims
    one, two = first.make(), second.make()
    return (
        one(random_theta(one, batches[0]), FIRST_SIZE[-d:], align_corners=align_corners),
        two(random_theta(two, batches[1]), SECOND_SIZE[-d:], align_corners=align_corners),
    )


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_reads_at_first_of_seconds_points(first: Family, second: Family, align_corners: bool) -> None:
    a, b = grids(first, second, align_corners)
    both = a @ b
    assert both.size == b.size
    assert both.align_corners == align_corners
    expected = a.at(b.points().flatten(1, -2)).view(b.points().shape)
    assert_close(both.points(), expected, tolerance=1e-11)


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize(("first", "second"), [pair for pair in PAIRS if str(pair.id).endswith("2d")])
def test_agrees_with_sampling_twice(first: Family, second: Family, align_corners: bool) -> None:
    """The other order is off by more."""
    size = (96, 80)
    one, two = first.make(), second.make()
    a = one(random_theta(one, 1), size, align_corners=align_corners)
    b = two(random_theta(two, 1), size, align_corners=align_corners)
    image = smooth_image(size)
    twice = sample(sample(image, a, padding="border"), b, padding="border")
    once = sample(image, a @ b, padding="border")
    other = sample(image, b @ a, padding="border")
    # At the edges, sampling twice clamps in between.
    inner = [(grid.points().abs().amax(-1) < 0.95).unsqueeze(1) for grid in (b, a @ b)]
    inner = inner[0] & inner[1]
    assert inner.double().mean() > 0.4
    # An interpolation errs by an eighth of the second derivative, 3e-4; more across the corners of a coarse
    # field, where the worst seen is 2.6e-3.
    assert ((once - twice).abs() * inner).max() < 3.5e-3
    assert ((other - twice).abs() * inner).max() > 4e-3


def test_stays_as_lazy_as_it_can() -> None:
    def grid(family: transform.Transform) -> Grid:
        return family(random_theta(family, 1), (4, 5))

    affine, projective, plate = transform.Affine(), transform.Projective(), transform.ThinPlate(3)
    field = transform.Displacement((4, 5))
    for first, second, kind, rows in (
        (affine, affine, MatrixGrid, 2),
        (affine, projective, MatrixGrid, 3),
        (projective, affine, MatrixGrid, 3),
        (affine, plate, BasisGrid, None),
        (projective, plate, PointGrid, None),
        (plate, affine, PointGrid, None),
        (field, plate, PointGrid, None),
        (affine, field, PointGrid, None),
    ):
        both = grid(first) @ grid(second)
        assert type(both) is kind, (first, second)
        if isinstance(both, MatrixGrid):
            assert both.matrix.shape[1] == rows


@pytest.mark.parametrize(
    "kinds", ["affine affine affine", "affine projective thin_plate", "thin_plate affine free_form"]
)
def test_is_associative(kinds: str) -> None:
    def grid(name: str) -> Grid:
        family = next(family.make() for family in FAMILIES if family.id == f"{name}-2d")
        return family(random_theta(family, 2), (5, 6))

    a, b, c = map(grid, kinds.split())
    points = c.points().flatten(1, -2)
    expected = a.at(b.at(points)).view(2, 5, 6, 2)
    assert_close((a @ (b @ c)).points(), expected, tolerance=1e-11)
    if isinstance(a @ b, PointGrid):
        return  # (a @ b) is known at b's points only, and linear between them
    assert_close(((a @ b) @ c).points(), expected, tolerance=1e-11)


def test_interpolates_once() -> None:
    """Forty turns by nine degrees give back the image; forty interpolations blur it beyond recognition."""
    image = torch.zeros(1, 1, 17, 17, dtype=torch.float64)
    image[..., 8, 3::2] = 1
    theta = torch.tensor([[torch.pi / 20, 0, 0]], dtype=torch.float64)
    turn = transform.Rigid()(theta, (17, 17))
    chain, blurred = turn, sample(image, turn)
    for _ in range(39):
        chain, blurred = chain @ turn, sample(blurred, turn)
    assert_close(sample(image, chain), image, tolerance=1e-10)
    assert (blurred - image).abs().max() > 0.5


@pytest.mark.parametrize(("first", "second"), [pair for pair in PAIRS if str(pair.id).endswith("2d")])
def test_gradients_reach_both_factors(first: Family, second: Family) -> None:
    one, two = first.make(), second.make()
    image = smooth_image((6, 7))

    def once(a: Tensor, b: Tensor) -> Tensor:
        return sample(image, one(a, (6, 7)) @ two(b, (4, 5)), kernel="cubic")

    def by_points(a: Tensor, b: Tensor) -> Tensor:
        points = two(b, (4, 5)).points().flatten(1, -2)
        return sample(image, one(a, (6, 7)).at(points).view(-1, 4, 5, 2), kernel="cubic")

    assert_gradients_agree(once, by_points, [random_theta(one), random_theta(two)], tolerance=1e-10)


@pytest.mark.parametrize("batches", [(1, 3), (3, 1), (3, 3), (0, 0), (1, 0)], ids=str)
@pytest.mark.parametrize(("first", "second"), [pair for pair in PAIRS if str(pair.id).endswith("2d")])
def test_one_with_many(first: Family, second: Family, batches: tuple[int, int]) -> None:
    a, b = grids(first, second, False, batches)
    both = a @ b
    count = 0 if 0 in batches else 3
    assert both.batch == len(both.points()) == count
    for i in range(count):
        alone = (a if len(a) == 1 else a[i]) @ (b if len(b) == 1 else b[i])
        assert_close(both.points()[i : i + 1], alone.points())


def test_precisions_meet_in_the_wider() -> None:
    family = transform.Affine()
    narrow = family(random_theta(family, dtype=torch.float32), (3, 4))
    wide = transform.ThinPlate(3)(random_theta(transform.ThinPlate(3)), (3, 4))
    assert (narrow @ wide).dtype == (wide @ narrow).dtype == torch.float64


def test_refuses_what_does_not_fit() -> None:
    family = transform.Affine()
    theta = random_theta(family, 2)
    grid = family(theta, (3, 4))
    with pytest.raises(ValueError, match=r"one convention, got `align_corners` False and True"):
        grid @ family(theta, (3, 4), align_corners=True)
    volume = transform.Affine(dims=3)
    with pytest.raises(ValueError, match="same dimensions, got 2 and 3"):
        grid @ volume(random_theta(volume, 2), (3, 4, 5))
    with pytest.raises(ValueError, match=r"`first` and `second` must have the same batch size.* got 2 and 3"):
        grid @ family(random_theta(family, 3), (3, 4))
    with pytest.raises(TypeError):
        grid @ theta  # type: ignore[operator]
