"""Points and boxes travel as the picture does, both ways and in both units."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage
from support.closeness import assert_close
from support.families import EVERY_CONVENTION, EVERY_FAMILY, IN_2D, Family, random_theta
from support.points import to_normalised
from torch import Tensor
from torch.autograd import gradcheck

from torchstn import Grid, sample, transform
from torchstn.grid import BasisGrid, DenseBasis, MatrixGrid, PointGrid, SplineBasis, ThinPlateBasis

INPUT, OUTPUT = (48, 64, 40), (56, 40, 36)


def blob(size: tuple[int, ...], centre: Tensor) -> Tensor:
    """A round bright spot at a pixel (x, y[, z]) that is no whole number, five pixels across."""
    mesh = torch.meshgrid(*[torch.arange(n, dtype=torch.float64) for n in size], indexing="ij")
    squared = sum((axis - place) ** 2 for axis, place in zip(mesh[::-1], centre, strict=True))
    return torch.exp(-squared / (2 * 2.5**2))[None, None]


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("family", [item for item in EVERY_FAMILY if not str(item.id).endswith("1d")])
def test_a_spot_appears_where_unmap_points_says(family: Family, align_corners: bool) -> None:
    """Against SciPy's centre of mass; the direction map_points goes would be off by many pixels."""
    d = family.dims
    input_size, size = INPUT[-d:], OUTPUT[-d:]
    instance = family.make()
    theta = random_theta(instance, 1, scale=0.06 if family.name != "thin_plate" else 0.03)
    grid = instance(theta, size, input_size=input_size, align_corners=align_corners)
    where = (torch.tensor(input_size[::-1], dtype=torch.float64) - 1) * 0.5 + torch.tensor([2.3, -1.6, 0.7])[
        :d
    ]
    output = sample(blob(input_size, where), grid)[0, 0].detach()
    seen = np.array(ndimage.center_of_mass(output.numpy()))[::-1]
    found = grid.unmap_points(where.view(1, 1, d), input_size=input_size)[0, 0].detach().numpy()
    # The warp bends the spot: its centre of mass moves by less than half a pixel. Worst seen 0.2.
    assert np.abs(seen - found).max() < 0.5
    back = grid.map_points(torch.from_numpy(found).view(1, 1, d), input_size=input_size)
    assert_close(back.flatten(), where, tolerance=1e-5)


def test_a_bright_pixel_lands_exactly_where_an_integer_shift_says() -> None:
    image = torch.zeros(1, 1, 6, 9)
    image[0, 0, 2, 5] = 1
    theta = torch.tensor([[2 * 2 / 9, -1 * 2 / 6]])  # two columns right, one row up
    grid = transform.Translation()(theta, (6, 9))
    row, column = sample(image, grid, kernel="nearest")[0, 0].nonzero()[0].tolist()
    assert (column, row) == (3, 3)
    assert_close(
        grid.unmap_points(torch.tensor([[[5.0, 2.0]]]), input_size=(6, 9)), torch.tensor([[[3.0, 3.0]]])
    )
    assert_close(
        grid.map_points(torch.tensor([[[3.0, 3.0]]]), input_size=(6, 9)), torch.tensor([[[5.0, 2.0]]])
    )


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_pixels_and_normalised_points_say_the_same(family: Family, align_corners: bool) -> None:
    d = family.dims
    size, input_size = (5, 6, 4)[-d:], (7, 3, 8)[-d:]
    instance = family.make()
    grid = instance(random_theta(instance, 2, scale=0.05), size, align_corners=align_corners)
    pixels = 3 * torch.rand(2, 5, d, dtype=torch.float64)
    normalised = to_normalised(pixels, size, align_corners)
    mapped = grid.map_points(pixels, input_size=input_size)
    assert_close(
        to_normalised(mapped, input_size, align_corners), grid.map_points(normalised), tolerance=1e-11
    )
    assert_close(grid.map_points(normalised), grid.at(normalised))

    pixels = 2 * torch.rand(1, 5, d, dtype=torch.float64)  # one set of points for both grids
    normalised = to_normalised(pixels, input_size, align_corners)
    unmapped = grid.unmap_points(pixels, input_size=input_size)
    assert_close(to_normalised(unmapped, size, align_corners), grid.unmap_points(normalised), tolerance=1e-11)
    assert_close(grid.at(grid.unmap_points(normalised)), normalised.expand(2, -1, -1).clone(), tolerance=1e-5)


@pytest.mark.parametrize("family", IN_2D)
def test_points_are_differentiable_in_themselves_and_in_theta(family: Family) -> None:
    instance = family.make()
    theta = random_theta(instance, 1, scale=0.05).requires_grad_()
    points = (torch.rand(1, 3, 2, dtype=torch.float64) - 0.5).requires_grad_()

    def mapped(theta: Tensor, points: Tensor) -> Tensor:
        return instance(theta, (4, 5)).map_points(points, input_size=(6, 7))

    assert gradcheck(mapped, (theta, points), fast_mode=True)


@pytest.mark.parametrize("which", ["map_points", "unmap_points"])
@pytest.mark.parametrize("family", IN_2D)
def test_a_missing_point_stays_missing_and_spoils_no_gradient(family: Family, which: str) -> None:
    """Landmarks that were not found are NaN."""
    instance = family.make()
    theta = random_theta(instance, 1, scale=0.02).requires_grad_()
    points = torch.tensor([[[0.1, 0.2], [float("nan"), 0.3]]], dtype=torch.float64, requires_grad=True)
    found = getattr(instance(theta, (4, 5)), which)(points)
    assert found[0, 0].isfinite().all()
    assert found[0, 1].isnan().any()
    gradients = torch.autograd.grad(found[0, 0].sum(), (theta, points))
    assert all(gradient.isfinite().all() and gradient.any() for gradient in gradients)


def turned_square() -> Grid:
    """A quarter of half a turn on a square: a square window becomes one that stands on its corner."""
    return transform.Rigid()(torch.tensor([[torch.pi / 4, 0, 0]], dtype=torch.float64), (9, 9))


def test_boxes_enclose_the_turned_ones() -> None:
    box = torch.tensor([[[-0.5, -0.5, 0.5, 0.5]]], dtype=torch.float64)
    half = 0.5 * 2**0.5
    expected = torch.tensor([[[-half, -half, half, half]]], dtype=torch.float64)
    assert_close(turned_square().map_boxes(box), expected)
    assert_close(turned_square().unmap_boxes(box), expected)


def test_boxes_of_an_upright_window_go_there_and_back() -> None:
    grid = transform.Attention()(torch.tensor([[0.5, 0.2, -0.1]], dtype=torch.float64), (10, 20))
    box = torch.tensor([[[2.0, 3.0, 11.0, 8.0]]], dtype=torch.float64)
    mapped = grid.map_boxes(box, input_size=(30, 40))
    corners = grid.map_points(box.view(1, 2, 2), input_size=(30, 40))
    assert_close(mapped, corners.flatten(1).unsqueeze(1))
    assert_close(grid.unmap_boxes(mapped, input_size=(30, 40)), box)


@pytest.mark.parametrize("columns", [3, 5, 17])
def test_a_bulge_between_the_corners_is_inside(columns: int) -> None:
    """One point of the top side alone is pulled up: boxes of the corners, or of few more, would miss it."""
    pulled = 1  # the middle of 3 columns, a quarter along of 5
    theta = torch.zeros(1, 2, columns, 2, dtype=torch.float64)
    theta[0, 0, pulled, 1] = -0.4
    grid = transform.ThinPlate((2, columns))(theta.flatten(1), (8, 8))
    box = torch.tensor([[[-1.0, -1.0, 1.0, 1.0]]], dtype=torch.float64)
    assert -1.5 < grid.map_boxes(box)[0, 0, 1] < -1.4 + 1e-6


@pytest.mark.parametrize("dims", [1, 3])
def test_boxes_in_other_dimensions(dims: int) -> None:
    family = transform.Affine(dims=dims)
    grid = family(random_theta(family, 2), (4, 5, 6)[-dims:])
    box = torch.tensor([[[-0.5, -0.4, -0.3][:dims] + [0.2, 0.3, 0.4][:dims]]], dtype=torch.float64)
    ends = torch.stack([box[..., :dims], box[..., dims:]], -1)[0, 0]
    corners = torch.cartesian_prod(*ends).view(1, -1, dims)
    mapped = grid.at(corners)
    assert_close(grid.map_boxes(box)[:, 0], torch.cat([mapped.amin(1), mapped.amax(1)], -1))


GRID = MatrixGrid(torch.eye(2, 3)[None], size=(4, 5))
BASIS = transform.ThinPlate(3).basis

REFUSALS: dict[str, tuple[Any, type[Exception], str]] = {
    "points without batch": (
        lambda: GRID.map_points(torch.zeros(3, 2)),
        ValueError,
        r"`points` must be \(n, m, 2\)",
    ),
    "points of 3-D": (
        lambda: GRID.unmap_points(torch.zeros(1, 3, 3)),
        ValueError,
        r"`points` must be \(n, m, 2\)",
    ),
    "whole points": (
        lambda: GRID.map_points(torch.ones(1, 3, 2).long()),
        TypeError,
        "`points` must be floating",
    ),
    "points of many": (
        lambda: GRID[torch.tensor([0, 0])].map_points(torch.zeros(3, 1, 2)),
        ValueError,
        "same batch size",
    ),
    "boxes of points": (
        lambda: GRID.map_boxes(torch.zeros(1, 3, 2)),
        ValueError,
        r"`boxes` must be \(n, m, 4\)",
    ),
    "points elsewhere": (
        lambda: GRID.map_points(torch.zeros(1, 3, 2, device="meta")),
        ValueError,
        "`points` must be on the device of `grid`, cpu, got meta",
    ),
    "boxes elsewhere": (
        lambda: GRID.unmap_boxes(torch.zeros(1, 3, 4, device="meta")),
        ValueError,
        "`boxes` must be on the device of `grid`, cpu, got meta",
    ),
    "input size": (
        lambda: GRID.map_points(torch.zeros(1, 1, 2), input_size=(3,)),
        ValueError,
        "`input_size`",
    ),
    "inverse size": (lambda: GRID.inverse((3, 0)), ValueError, "`size` must be positive"),
    "matrix of 3-D": (
        lambda: MatrixGrid(torch.zeros(1, 3, 4), size=(4, 5)),
        ValueError,
        r"`matrix` must be \(n, 2, 3\)",
    ),
    "size a number": (
        lambda: MatrixGrid(torch.eye(2, 3)[None], size=5),
        TypeError,
        "`size` must be a sequence of whole numbers, one per axis, got 5",
    ),
    "size of no axis": (lambda: MatrixGrid(torch.ones(1, 1, 1), size=()), ValueError, r"got \(\)"),
    "size of four axes": (
        lambda: MatrixGrid(torch.ones(1, 4, 5), size=(2, 2, 2, 2)),
        ValueError,
        r"`size` must be \(w,\), \(h, w\), \(d, h, w\), got \(2, 2, 2, 2\)",
    ),
    "matrix of whole numbers": (
        lambda: MatrixGrid(torch.ones(1, 2, 3).int(), size=(4, 5)),
        TypeError,
        "`matrix`",
    ),
    "points of no kind": (
        lambda: PointGrid(torch.zeros(1, 3, 4, 3)),
        ValueError,
        r"`displacement_field` must be",
    ),
    "no points": (lambda: PointGrid(torch.zeros(1, 0, 4, 2)), ValueError, "at least one point"),
    "another size": (
        lambda: PointGrid(torch.zeros(1, 3, 4, 2), size=(4, 3)),
        ValueError,
        "`size` must be that of",
    ),
    "absolute points": (
        lambda: PointGrid.from_points(torch.zeros(1, 3, 4, 1)),
        ValueError,
        "`points` must be",
    ),
    "too few offsets": (
        lambda: BasisGrid(GRID.matrix, torch.zeros(1, 8, 2), BASIS, size=(2, 2)),
        ValueError,
        r"must be \(n, 9, 2\)",
    ),
    "basis of another dimension": (
        lambda: BasisGrid(GRID.matrix, torch.zeros(1, 4, 2), SplineBasis((4,)), size=(3, 3)),
        ValueError,
        r"`basis` must be of 2 dimension\(s\), as `size` is, got one of 1",
    ),
    "functions on a line": (
        lambda: BasisGrid(GRID.matrix, torch.zeros(1, 4, 2), DenseBasis(torch.rand(4, 5)), size=(3, 3)),
        ValueError,
        "`basis` must be of 2",
    ),
    "functions in space": (
        lambda: BasisGrid(GRID.matrix, torch.zeros(1, 4, 2), DenseBasis(torch.rand(4, 5, 5, 5)), size=(3, 3)),
        ValueError,
        "`basis` must be of 2",
    ),
    "functions without an axis": (
        lambda: DenseBasis(torch.rand(4)),
        ValueError,
        r"`values` must be \(k, w\), .* got \(4,\)",
    ),
    "whole functions": (
        lambda: DenseBasis(torch.ones(4, 5).int()),
        TypeError,
        "`values` must be floating point",
    ),
    "three spline points": (lambda: SplineBasis((3, 3)), ValueError, "`points` must be at least 4"),
    "one control point": (lambda: ThinPlateBasis((1, 4)), ValueError, "`points` must be at least 2"),
    "points a number": (lambda: ThinPlateBasis(4), TypeError, "`points` must be a sequence"),
    "projective basis": (
        lambda: BasisGrid(torch.eye(3)[None], torch.zeros(1, 9, 2), BASIS, size=(2, 2)),
        ValueError,
        "must be affine",
    ),
}


def test_control_points_may_come_as_a_list() -> None:
    for listed, expected in ((SplineBasis([4, 5]), SplineBasis((4, 5))), (ThinPlateBasis([3, 3]), BASIS)):
        assert listed == expected
        assert hash(listed) == hash(expected)


@pytest.mark.parametrize(("call", "error", "message"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
