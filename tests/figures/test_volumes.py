"""Volumes as they are drawn: which side is seen, where boxes lie, what stands where."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor

import torchstn as stn
from torchstn.figures import volume_figure
from torchstn.figures.solid import REACH, draw_box, show_solid, to_screen
from torchstn.figures.style import WRONG, new_figure


def blob(x: int, y: int, z: int, side: int = 20) -> Tensor:
    """A cube of 5 voxels in an empty volume, its middle at (x, y, z)."""
    volume = torch.zeros(1, side, side, side)
    volume[0, z - 2 : z + 3, y - 2 : y + 3, x - 2 : x + 3] = 1
    return volume


def shown(volume: Tensor) -> np.ndarray:
    axes = new_figure(1, 1).add_axes((0, 0, 1, 1))
    show_solid(axes, volume)
    return np.asarray(axes.images[0].get_array())


def middle(picture: np.ndarray) -> np.ndarray:
    """The middle of what is lit, in the coordinates of `to_screen`."""
    rows, columns = np.nonzero(picture)
    at = np.array([columns.mean(), rows.mean()])
    middle: np.ndarray = REACH * (2 * (at + 0.5) / len(picture) - 1)
    return middle


@pytest.mark.parametrize("place", [(4, 10, 10), (10, 4, 10), (10, 10, 4), (15, 14, 5)])
def test_a_solid_is_seen_where_its_place_is_on_the_screen(place: tuple[int, int, int]) -> None:
    # Voxel k of 20 lies at (2 k - 19) / 20.
    expected = to_screen((2 * np.array(place) - 19) / 20)
    np.testing.assert_allclose(middle(shown(blob(*place))), expected, atol=0.03)


def test_an_empty_volume_is_black() -> None:
    assert shown(torch.zeros(1, 8, 8, 8)).max() == 0


def test_what_is_in_front_hides_what_is_behind() -> None:
    # A cube with a dent in front is darker there than one with a dent behind: the dent is in shadow.
    front, back = torch.zeros(1, 20, 20, 20), torch.zeros(1, 20, 20, 20)
    front[0, 5:15, 5:15, 5:15] = 1
    back.copy_(front)
    front[0, 5:9, 8:12, 8:12] = 0
    back[0, 11:15, 8:12, 8:12] = 0
    whole = torch.zeros(1, 20, 20, 20)
    whole[0, 5:15, 5:15, 5:15] = 1
    np.testing.assert_allclose(shown(back), shown(whole), atol=0.02)
    assert np.abs(shown(front) - shown(whole)).max() > 0.2


def test_the_sides_that_are_seen_are_lit_each_differently() -> None:
    """The light comes from the upper left in front, so the top and the front of a cube are both bright."""
    volume = torch.zeros(1, 20, 20, 20)
    volume[0, 5:15, 5:15, 5:15] = 1
    picture = shown(volume)
    # The middles of its top and of its front, half a side off the middle of the volume.
    for middle_of_side in ((0, -0.5, 0), (0, 0, -0.5)):
        x, y = to_screen(np.array(middle_of_side))
        row, column = (round((at / REACH + 1) / 2 * len(picture)) for at in (y, x))
        assert picture[row - 2 : row + 3, column - 2 : column + 3].mean() > 0.5


def test_space_is_seen_from_above_on_the_front_side() -> None:
    """x goes right, y goes down, and what is further off stands higher and more to the right."""
    right, down, off = (to_screen(axis) for axis in np.eye(3))
    assert right[0] > 0.8
    assert down[1] > 0.8
    assert off[0] > 0.2
    assert off[1] < -0.2


def _boxes(grid: stn.grid.Grid | None) -> list[np.ndarray]:
    axes = new_figure(1, 1).add_axes((0, 0, 1, 1))
    draw_box(axes, grid)
    return [np.asarray(collection.get_segments()) for collection in axes.collections]


def test_a_box_is_that_of_the_grid_and_its_top_front_edge_stands_out() -> None:
    theta = torch.cat((0.5 * torch.eye(3), torch.tensor([[0.1], [0.2], [0.3]])), 1).flatten()[None]
    grid = stn.transform.Affine(dims=3)(theta, (4, 5, 6))
    edges, front, top = _boxes(grid)
    assert (edges.shape, front.shape, top.shape) == ((12, 2, 2), (4, 2, 2), (1, 2, 2))
    corners = np.array([[-0.4, -0.3, -0.2], [0.6, -0.3, -0.2]])
    np.testing.assert_allclose(top[0], to_screen(corners), atol=1e-6)
    np.testing.assert_allclose(_boxes(None)[2][0], to_screen(np.array([[-1.0, -1, -1], [1, -1, -1]])))


def _texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_the_figure_has_a_row_for_whatever_there_is() -> None:
    affine = stn.transform.Affine(dims=3)
    volumes, outputs, pictures = torch.rand(2, 1, 8, 8, 8), torch.rand(2, 1, 6, 6, 6), torch.rand(2, 1, 6, 6)
    grids = affine(affine.identity().expand(2, -1), (6, 6, 6))
    full = volume_figure(volumes, grids, outputs, pictures, [1, 2], [1, 3])
    assert len(full.axes) == 6
    np.testing.assert_allclose(full.axes[4].images[0].get_array(), pictures[0, 0] / pictures[0].max())
    assert _texts(full) == ["1", "2, is 3"]
    assert full.axes[5].texts[0].get_color() == WRONG
    assert len(volume_figure(volumes, None, None, pictures, [1, 2], [1, 3]).axes) == 4
    assert len(volume_figure(volumes, None, None, None, [1, 2], [1, 3]).axes) == 2


def test_each_volume_has_the_box_that_is_its_own() -> None:
    affine = stn.transform.Affine(dims=3)
    zooms = torch.tensor([1.0, 0.5])[:, None] * affine.identity()
    volumes = torch.rand(2, 1, 6, 6, 6)
    figure = volume_figure(volumes, affine(zooms, (6, 6, 6)), volumes, None, [1, 2])
    for panel, zoom in zip(figure.axes[:2], (1.0, 0.5), strict=True):
        top = panel.collections[-1].get_segments()[0]
        np.testing.assert_allclose(top, zoom * to_screen(np.array([[-1.0, -1, -1], [1, -1, -1]])), atol=1e-6)


def test_numbers_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`labels` must have one entry an image, 1, got 2"):
        volume_figure(torch.rand(1, 1, 8, 8, 8), None, None, None, [1], [1, 3])
    with pytest.raises(ValueError, match=r"`volumes` must be \(n, 1, d, h, w\)"):
        volume_figure(torch.rand(1, 8, 8, 8), None, None, None, [1], [1])
