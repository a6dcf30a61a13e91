"""The conventions, each on an input for which the wrong one gives another answer."""

import pytest
import torch
from support.families import EVERY_CONVENTION
from torch import Tensor

from torchstn import sample, transform

pytestmark = pytest.mark.usefixtures("each_backend")


def dot(size: tuple[int, ...], *where: int) -> Tensor:
    """A black image with one white pixel, at `where` in array order."""
    image = torch.zeros(1, 1, *size)
    image[0, 0][where] = 1
    return image


def brightest(image: Tensor) -> tuple[int, ...]:
    """The array index of the one white pixel."""
    assert image.sum() == 1
    return tuple(image[0, 0].nonzero()[0].tolist())


def test_convention_theta_maps_output_to_input() -> None:
    """A positive shift reads further right, so the picture moves left; the other direction moves it right."""
    step = torch.tensor([[2 / 8, 0.0]])  # one column of eight
    output = sample(dot((4, 8), 1, 5), transform.Translation()(step, (4, 8)))
    assert brightest(output) == (1, 4)


def test_convention_a_scale_below_one_zooms_in() -> None:
    """Half the window on the same number of pixels: a square of two becomes four wide, not one."""
    image = torch.zeros(1, 1, 8, 8)
    image[..., 3:5, 3:5] = 1
    grid = transform.Attention()(torch.tensor([[0.5, 0.0, 0.0]]), (8, 8))
    assert sample(image, grid, kernel="nearest").sum() == 16


def test_convention_x_runs_along_the_last_axis() -> None:
    """One column of seven differs from one row of three, and 3-D's z is the first array axis."""
    shift_x = transform.Translation()(torch.tensor([[2 / 7, 0.0]]), (3, 7))
    assert brightest(sample(dot((3, 7), 1, 3), shift_x)) == (1, 2)
    shift_y = transform.Translation()(torch.tensor([[0.0, 2 / 3]]), (3, 7))
    assert brightest(sample(dot((3, 7), 1, 3), shift_y)) == (0, 3)
    shift_z = transform.Translation(dims=3)(torch.tensor([[0.0, 0.0, 2 / 3]]), (3, 5, 7))
    assert brightest(sample(dot((3, 5, 7), 1, 2, 3), shift_z)) == (0, 2, 3)


def test_convention_sizes_are_in_array_order() -> None:
    """On a square the order would not show."""
    grid = transform.Affine()(transform.Affine().identity()[None], (3, 7))
    assert grid.points().shape == (1, 3, 7, 2)
    assert sample(torch.zeros(1, 1, 5, 4), grid).shape == (1, 1, 3, 7)


def test_convention_one_is_the_edge_or_the_centre_of_the_corner_pixel() -> None:
    """Four pixels: the outermost centres lie at 3/4 by edges and at 1 by centres."""
    identity = torch.zeros(1, 1)
    family = transform.Translation(dims=1)
    edges = family(identity, (4,), align_corners=False).points().flatten()
    centres = family(identity, (4,), align_corners=True).points().flatten()
    assert edges.tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert torch.allclose(centres, torch.tensor([-1, -1 / 3, 1 / 3, 1]))


def test_convention_a_shift_of_one_is_half_the_edges_or_half_the_centres() -> None:
    """Of five pixels: 2.5 columns by edges, exactly 2 by centres."""
    ramp = torch.arange(5.0).view(1, 1, 5)
    one = torch.ones(1, 1)
    family = transform.Translation(dims=1)
    by_edges = sample(ramp, family(one, (5,), align_corners=False), padding="border")
    by_centres = sample(ramp, family(one, (5,), align_corners=True), padding="border")
    assert torch.allclose(by_edges, torch.tensor([2.5, 3.5, 4, 4, 4]))
    assert by_centres.flatten().tolist() == [2, 3, 4, 4, 4]


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
def test_convention_an_output_of_one_pixel_reads_the_centre(align_corners: bool) -> None:
    """`linspace` would start it at -1, the left edge."""
    ramp = torch.arange(5.0).view(1, 1, 1, 5).expand(1, 1, 3, 5)
    family = transform.Affine()
    grid = family(family.identity()[None], (1, 1), align_corners=align_corners)
    assert sample(ramp, grid).item() == 2


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
def test_convention_an_input_of_one_pixel_is_read_in_its_centre(align_corners: bool) -> None:
    family = transform.Affine()
    grid = family(family.identity()[None], (3, 5), align_corners=align_corners)
    output = sample(torch.full((1, 1, 1, 1), 7.0), grid)[0, 0]
    assert output[1, 2] == 7
    # By centres the pixel has no width: every point reads it. By edges it fades into the zeros around it.
    assert bool((output == 7).all()) == align_corners


def test_convention_the_default_is_edges() -> None:
    """As torch's; the centres of four pixels would start at -1."""
    assert transform.Translation(dims=1)(torch.zeros(1, 1), (4,)).points()[0, 0].item() == -0.75


def test_convention_angles_turn_x_towards_y() -> None:
    """What lies on the right of the output is read below, as y runs down: the other sense reads above."""
    grid = transform.Rigid()(torch.tensor([[torch.pi / 2, 0.0, 0.0]]), (9, 9))
    output = sample(dot((9, 9), 7, 4), grid, kernel="nearest")
    assert brightest(output) == (4, 7)


def test_convention_offsets_are_x_fastest_and_relative() -> None:
    """The second of 2 x 3 control points is the top middle one: rows first would make it the bottom left."""
    theta = torch.zeros(1, 12)
    theta[0, 2:4] = torch.tensor([0.25, 0.0])
    grid = transform.ThinPlate(points=(2, 3))(theta, (3, 5), align_corners=True)
    assert grid.displacement()[0, 0, 2].tolist() == pytest.approx([0.25, 0], abs=1e-6)
    assert grid.displacement()[0, -1, 0].abs().max() < 1e-6


def test_convention_affine_and_projective_are_row_by_row() -> None:
    affine = torch.tensor([[1.0, 0.5, 0.25, 0.0, 1.0, 0.0]])
    point = torch.tensor([[[0.0, 0.5]]])
    assert transform.Affine()(affine, (4, 4)).at(point).tolist() == [[[0.5, 0.5]]]
    projective = torch.tensor([[1.0, 0.5, 0.25, 0.0, 1.0, 0.0, 0.0, 2.0]])
    assert transform.Projective()(projective, (4, 4)).at(point).tolist() == [[[0.25, 0.25]]]
