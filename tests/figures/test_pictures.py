"""Every picture: what it shows where, and what it refuses."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

import torchstn as stn
from torchstn.figures import (
    addition_figure,
    box_figure,
    class_means,
    contact_sheet,
    paper_figure,
    save_figure,
)
from torchstn.figures.box_figure import COLOURS
from torchstn.figures.contact_sheet import mosaic
from torchstn.figures.style import WRONG


def _texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def _shown(figure: Figure, panel: int) -> np.ndarray:
    return np.asarray(figure.axes[panel].images[0].get_array())


def _grids(n: int) -> stn.grid.Grid:
    affine = stn.transform.Affine()
    return affine(affine.identity().expand(n, -1), (8, 8))


def test_paper_figure_shows_input_grid_and_output_of_each_image() -> None:
    images, outputs = torch.rand(3, 1, 8, 8), torch.rand(3, 1, 8, 8)
    figure = paper_figure(images, _grids(3), outputs, [1, 2, 3], [1, 2, 4])
    assert len(figure.axes) == 9
    for k in range(3):
        np.testing.assert_array_equal(_shown(figure, k), images[k, 0])
        np.testing.assert_array_equal(_shown(figure, 3 + k), images[k, 0])
        np.testing.assert_array_equal(_shown(figure, 6 + k), outputs[k, 0])
    assert _texts(figure) == ["1", "2", "3, is 4"]
    assert figure.axes[8].texts[0].get_color() == WRONG


def test_paper_figure_of_a_network_without_transformer_has_one_row() -> None:
    figure = paper_figure(torch.rand(2, 1, 8, 8), None, None, [1, 2])
    assert len(figure.axes) == 2


@pytest.mark.parametrize("argument", ["outputs", "predictions", "labels"])
def test_paper_figure_refuses_another_number_of(argument: str) -> None:
    given = {"outputs": torch.rand(2, 1, 8, 8), "predictions": [1, 2], "labels": [1, 2]}
    given[argument] = given[argument][:1]
    with pytest.raises(ValueError, match=rf"`{argument}` must have one entry an image, 2, got 1"):
        paper_figure(torch.rand(2, 1, 8, 8), _grids(2), **given)


def test_margin_grows_with_what_leaves_the_image() -> None:
    affine = stn.transform.Affine()
    image = torch.rand(1, 1, 10, 20)
    limits = []
    for zoom in (0.5, 1.2, 9.0):
        grid = affine(affine.identity()[None] * zoom, (10, 20))
        limits.append(paper_figure(image, grid, image).axes[1].get_xlim()[1])
    # Zoomed out by 1.2, the last column reads at ((1 + 1.2 * 0.95) * 20 - 1) / 2 = 20.9: 1.4 beyond the edge.
    assert limits == pytest.approx([19.5 + 0.07 * 20, 19.5 + 1.4 + 0.02 * 20, 19.5 + 0.24 * 20])


def test_colour_images_are_drawn_in_colour() -> None:
    image = torch.rand(1, 3, 8, 8)
    np.testing.assert_allclose(_shown(paper_figure(image, None, None), 0), image[0].permute(1, 2, 0))


def test_mosaic_goes_row_by_row_and_is_black_where_images_are_missing() -> None:
    images = torch.arange(1.0, 4.0).reshape(3, 1, 1, 1).expand(3, 1, 2, 3)
    expected = torch.tensor([[1.0, 2.0], [3.0, 0.0]]).repeat_interleave(2, 0).repeat_interleave(3, 1)
    assert torch.equal(mosaic(images, 2)[0], expected)


def test_contact_sheet_names_each_set_and_its_size() -> None:
    figure = contact_sheet({"R": torch.rand(30, 1, 28, 28), "TC": torch.rand(4, 1, 60, 50)})
    assert _texts(figure) == ["R", "28 x 28", "TC", "60 x 50"]
    assert _shown(figure, 1).shape == (300, 250)


def test_contact_sheet_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="`sets` must name at least one"):
        contact_sheet({})


def test_class_means_are_of_the_class_and_on_their_own_scale() -> None:
    means = torch.zeros(2, 2, 2)
    means[0, 0, 0] = 0.2
    means[1, 1, 1] = 0.6
    figure = class_means({"input": means, "output": means})
    assert _texts(figure) == ["0", "1"]
    assert [text.get_text() for text in figure.texts] == ["input", "output"]
    np.testing.assert_array_equal(_shown(figure, 0), [[1, 0], [0, 0]])
    np.testing.assert_array_equal(_shown(figure, 3), [[0, 0], [0, 1]])


def test_class_means_refuses_rows_of_other_classes() -> None:
    with pytest.raises(ValueError, match=r"equally many classes each, got \[2, 3\]"):
        class_means({"input": torch.rand(2, 4, 4), "output": torch.rand(3, 4, 4)})


def test_addition_figure_shows_two_channels_of_each_stage_with_a_bar_between() -> None:
    images, outputs = torch.rand(3, 2, 8, 8), torch.rand(3, 4, 8, 8)
    figure = addition_figure(images, outputs, [1, 2, 3], [1, 2, 4])
    assert [text.get_text() for text in figure.texts] == ["input", "output 1", "output 2"]
    for k in range(3):
        for stage, picture in enumerate((images[k], outputs[k, :2], outputs[k, 2:])):
            shown = _shown(figure, 3 * stage + k)
            np.testing.assert_allclose(shown[:, :8, 0], picture[0])
            np.testing.assert_allclose(shown[:, 10:, 2], picture[1])
            assert shown[0, 8].std() > 0.1  # the bar has a colour
    assert _texts(figure) == ["1", "2", "3, is 4"]
    assert len(addition_figure(images, None, [1, 2, 3]).axes) == 3


def test_saved_figure_is_a_png_with_its_credit_and_the_same_each_time(tmp_path: Path) -> None:
    figure = contact_sheet({"R": torch.rand(4, 1, 8, 8)}, across=2, side=0.5)
    first = save_figure(figure, tmp_path / "new" / "a.png", credit="somebody's work")
    second = save_figure(figure, tmp_path / "b.png", credit="somebody's work")
    with Image.open(BytesIO(first.read_bytes())) as picture:
        assert picture.format == "PNG"
        assert picture.info["Copyright"] == "somebody's work"
        assert "Software" not in picture.info
    assert first.read_bytes() == second.read_bytes()


def test_only_png_files_are_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must end in \.png, got"):
        save_figure(contact_sheet({"R": torch.rand(1, 1, 8, 8)}, across=1), tmp_path / "a.jpg")
    assert not list(tmp_path.iterdir())


def test_paper_figure_writes_turns_on_the_grids_and_lines_above_the_inputs() -> None:
    images = torch.rand(2, 1, 8, 8)
    quarter = torch.tensor([[0.0, -1, 0, 1, 0, 0], [0, 1, 0, -1, 0, 0]])
    grids = stn.transform.Affine()(quarter, (8, 8))
    figure = paper_figure(images, grids, images, turns=True, above=["cnn: 3", "cnn: 5"])
    assert [[text.get_text() for text in axes.texts] for axes in figure.axes] == [
        ["cnn: 3"],
        ["cnn: 5"],
        ["90°"],
        ["\N{MINUS SIGN}90°"],
        [],
        [],
    ]


def _frames(figure: Figure, panel: int) -> list[tuple[str, list[tuple[float, float]]]]:
    """Colour and two ends of the top side of each frame on a panel."""
    return [
        (to_hex(lines.get_colors()[0]), [tuple(end) for end in lines.get_segments()[0][[0, -1]].tolist()])
        for lines in figure.axes[panel].collections
        if len(lines.get_segments()) == 4
    ]


def test_boxes_have_a_colour_for_each_transformer_and_its_output() -> None:
    images = torch.rand(2, 1, 9, 9)
    affine = stn.transform.Affine()
    grids = [
        affine(affine.identity().expand(2, -1) * zoom, (9, 9), align_corners=True) for zoom in (1.0, 0.5)
    ]
    figure = box_figure(images, grids, [images, images / 2], [1, 2], [1, 2])
    assert len(figure.axes) == 6
    assert _frames(figure, 0) == [(COLOURS[0], [(0, 0), (8, 0)]), (COLOURS[1], [(2, 2), (6, 2)])]
    np.testing.assert_array_equal(_shown(figure, 5), images[1, 0] / 2)
    for panel, colour in ((2, COLOURS[0]), (5, COLOURS[1])):
        assert to_hex(figure.axes[panel].spines["top"].get_edgecolor()) == colour
    assert _texts(figure) == ["1", "2"]


def test_each_image_has_the_grid_that_is_its_own() -> None:
    images = torch.rand(2, 1, 9, 9)
    zooms = torch.tensor([[1.0, 0, 0, 0, 1, 0], [0.5, 0, 0, 0, 0.5, 0]])
    grids = stn.transform.Affine()(zooms, (9, 9), align_corners=True)
    paper, boxes = paper_figure(images, grids, images), box_figure(images, [grids], [images])
    for figure, first in ((paper, 2), (boxes, 0)):
        tops = [[top for _, top in _frames(figure, first + k)] for k in range(2)]
        assert tops == [[[(0, 0), (8, 0)]], [[(2, 2), (6, 2)]]]


def test_boxes_on_two_channels_show_each() -> None:
    images = torch.rand(1, 2, 8, 8)
    grids = _grids(1)
    figure = box_figure(images, [grids, grids], [images, images])
    assert [text.get_text() for text in figure.texts] == [
        f"{name},\nchannel {k}" for name in ("input", "output 1", "output 2") for k in (1, 2)
    ]
    np.testing.assert_array_equal(_shown(figure, 5), images[0, 1])


def test_more_transformers_than_colours_are_refused() -> None:
    image = torch.rand(1, 1, 8, 8)
    with pytest.raises(ValueError, match="for 1 to 4 transformers, got 5 and 5"):
        box_figure(image, [_grids(1)] * 5, [image] * 5)
    with pytest.raises(ValueError, match="got 1 and 2"):
        box_figure(image, [_grids(1)], [image] * 2)
