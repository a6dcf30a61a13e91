"""Boxes are drawn where they are, true ones dashed; wrong numbers of them are refused."""

import pytest
import torch
from matplotlib.patches import Rectangle

from torchstn.figures import located_figure, moments_figure


def boxes(axes: object) -> list[tuple[float, ...]]:
    found = [one for one in axes.patches if isinstance(one, Rectangle)]  # type: ignore[attr-defined]
    solid = [one.get_linestyle() == "solid" for one in found]
    places = [(*one.get_xy(), one.get_width(), one.get_height()) for one in found]
    return [(*place, whole) for place, whole in zip(places, solid, strict=True)]


def test_moments_show_the_box_of_each_step_and_the_truth_dashed() -> None:
    images, truth = torch.rand(2, 1, 20, 20), torch.tensor([[1.0, 2, 11, 12], [5, 5, 15, 15]])
    moments = [(0, torch.zeros(2, 4) + torch.tensor([0.0, 0, 8, 8])), (10, truth + 1)]
    panels = moments_figure(images, moments, truth).axes
    assert len(panels) == 4
    dashed, solid = boxes(panels[1])
    assert dashed[:4] == (0.5, 1.5, 10, 10)
    assert not dashed[4]
    assert solid == (1.5, 2.5, 10, 10, True)


def test_each_image_has_the_box_that_is_its_own() -> None:
    images, places = torch.rand(2, 1, 20, 20), torch.tensor([[1.0, 2, 11, 12], [5, 6, 9, 8]])
    own = [[(0.5, 1.5, 10, 10, True)], [(4.5, 5.5, 4, 2, True)]]
    for figure in (moments_figure(images, [(0, places)]), located_figure(list(images), places, images)):
        assert [boxes(panel) for panel in figure.axes[:2]] == own


def test_images_of_several_sizes_and_more_than_a_row_are_drawn() -> None:
    images = [torch.rand(3, 10 + k, 20) for k in range(7)]
    figure = located_figure(images, torch.rand(7, 4), torch.rand(7, 3, 8, 8), list("abcdefg"), across=3)
    assert sum(axes.get_visible() for axes in figure.axes) == 2 * 7


def test_a_wrong_number_of_boxes_is_refused() -> None:
    for moments in ([], [(0, torch.zeros(3, 4))]):
        with pytest.raises(ValueError, match="`moments` must hold at least one, with 2 boxes each"):
            moments_figure(torch.rand(2, 1, 8, 8), moments)
