"""The grid as it is drawn: pixels of the input, lines of the output, the top side first."""

import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection
from scipy.linalg import polar
from support.families import EVERY_CONVENTION, IN_2D, Family, random_theta

import torchstn as stn
from torchstn.figures.lattice import draw_grid, lattice_lines, pixel_points, turned_by
from torchstn.figures.style import new_figure


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("size", [(5, 8), (7, 7)])
def test_the_identity_is_drawn_on_the_pixel_centres(align_corners: bool, size: tuple[int, int]) -> None:
    affine = stn.transform.Affine()
    grid = affine(affine.identity()[None], size, align_corners=align_corners)
    points = pixel_points(grid, 0, size)
    rows, columns = np.meshgrid(np.arange(size[0]), np.arange(size[1]), indexing="ij")
    np.testing.assert_allclose(points, np.stack([columns, rows], -1), atol=1e-5)


@pytest.mark.parametrize(
    ("align_corners", "corner"), [(False, (-0.5 + 20 / 8 / 2, -0.5 + 10 / 4 / 2)), (True, (0.0, 0.0))]
)
def test_convention_of_the_corner_where_sizes_differ(
    align_corners: bool, corner: tuple[float, float]
) -> None:
    # A 4 x 8 output of a 10 x 20 input: the two conventions put its first point apart.
    affine = stn.transform.Affine()
    grid = affine(affine.identity()[None], (4, 8), align_corners=align_corners)
    np.testing.assert_allclose(pixel_points(grid, 0, (10, 20))[0, 0], corner, atol=1e-5)


def test_frame_sides_follow_the_output_when_it_is_turned() -> None:
    # A quarter turn: what the output calls its top lies along one side of the input.
    theta = torch.tensor([[0.0, -1.0, 0.0, 1.0, 0.0, 0.0]])
    grid = stn.transform.Affine()(theta, (9, 9), align_corners=True)
    top = lattice_lines(pixel_points(grid, 0, (9, 9)))[1][0]
    np.testing.assert_allclose(top, np.stack([np.full(9, 8.0), np.arange(9)], -1), atol=1e-5)


@pytest.mark.parametrize("cells", [1, 3, 8])
def test_inner_lines_are_evenly_spaced(cells: int) -> None:
    points = np.stack(np.meshgrid(np.linspace(0, 1, 28), np.linspace(0, 1, 14)), -1)
    inner, _ = lattice_lines(points, cells)
    expected = [k / cells for k in range(1, cells)]
    np.testing.assert_allclose([line[0, 1] for line in inner[: cells - 1]], expected, atol=1e-12)
    np.testing.assert_allclose([line[0, 0] for line in inner[cells - 1 :]], expected, atol=1e-12)


def test_points_that_read_nowhere_leave_a_gap() -> None:
    # The denominator 1 + x is zero on the left side of the output.
    theta = torch.tensor([[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]])
    grid = stn.transform.Projective()(theta, (5, 5), align_corners=True)
    points = pixel_points(grid, 0, (5, 5))
    assert np.isnan(points[:, 0]).any(-1).all()
    assert np.isfinite(points[:, 1:]).all()
    figure = new_figure(1, 1)
    axes = figure.add_axes((0, 0, 1, 1))
    draw_grid(axes, grid, 0, (5, 5))
    figure.canvas.draw()
    assert sum(isinstance(artist, LineCollection) for artist in axes.collections) == 2


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("family", IN_2D)
def test_the_grid_of_every_family_is_drawn_through_the_pixels_it_reads(
    family: Family, align_corners: bool
) -> None:
    instance = family.make()
    grid = instance(random_theta(instance, 3, dtype=torch.float32), (13, 17), align_corners=align_corners)
    figure = new_figure(1, 1)
    axes = figure.add_axes((0, 0, 1, 1))
    draw_grid(axes, grid, 1, (20, 30), cells=4)
    figure.canvas.draw()
    x, y = (pixels[1].detach().numpy() for pixels in grid.pixel_coordinates((20, 30)))
    rows = [(x[k], y[k]) for k in range(13)]
    columns = [(x[:, k], y[:, k]) for k in range(17)]
    inner, frame = (lines.get_segments() for lines in axes.collections)
    for drawn, expected in (
        (inner, [rows[3], rows[6], rows[9], columns[4], columns[8], columns[12]]),
        (frame, [rows[0], columns[16], rows[12], columns[0]]),
    ):
        for line, places in zip(drawn, expected, strict=True):
            np.testing.assert_allclose(line, np.stack(places, -1), atol=1e-4)


def _turned(degrees: float, *, zoom: tuple[float, float] = (1.0, 1.0)) -> torch.Tensor:
    """An affine theta: scaled along the output's axes, then turned clockwise as one looks, and moved."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag(zoom)
    return torch.from_numpy(np.c_[linear, [0.3, -0.2]]).float().reshape(1, 6)


@pytest.mark.parametrize("zoom", [(1.0, 1.0), (0.5, 0.5), (1.3, 1.3)])
@pytest.mark.parametrize("degrees", [0.0, 37.0, -65.0, 170.0])
def test_a_turn_is_read_off_whatever_the_zoom(degrees: float, zoom: tuple[float, float]) -> None:
    grid = stn.transform.Affine()(_turned(degrees, zoom=zoom), (9, 9))
    assert turned_by(grid, 0, (9, 9)) == pytest.approx(degrees, abs=1e-3)


def test_the_turn_of_a_stretched_grid_is_that_of_its_polar_decomposition() -> None:
    theta = torch.randn(1, 6).double()
    theta[0, [0, 4]] += 3
    rotation, stretch = polar(theta.reshape(2, 3)[:, :2].numpy())
    assert np.linalg.eigvalsh(stretch).min() > 0
    expected = np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))
    assert turned_by(stn.transform.Affine()(theta, (9, 9)), 0, (9, 9)) == pytest.approx(expected)


def test_a_turn_is_in_pixels_not_in_normalised_coordinates() -> None:
    rigid = stn.transform.Rigid()
    grid = rigid(torch.tensor([[np.radians(30.0), 0, 0]]).float(), (10, 20), input_size=(10, 20))
    assert turned_by(grid, 0, (10, 20)) == pytest.approx(30, abs=1e-3)


def test_what_is_not_affine_turns_as_its_best_fit_and_what_reads_nowhere_not_at_all() -> None:
    spline = stn.transform.ThinPlate()
    rotation = np.radians(20.0)
    side = np.linspace(-1, 1, 4)
    points = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    turned = points @ np.array([[np.cos(rotation), np.sin(rotation)], [-np.sin(rotation), np.cos(rotation)]])
    grid = spline(torch.from_numpy(turned - points).float().reshape(1, -1), (9, 9))
    assert turned_by(grid, 0, (9, 9)) == pytest.approx(20, abs=1e-3)
    nowhere = stn.transform.Affine()(torch.full((1, 6), float("nan")), (9, 9))
    assert np.isnan(turned_by(nowhere, 0, (9, 9)))
