"""The curves show every number logged, at its step."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.lines import Line2D

from torchstn.figures import curves

RECORDS = [
    {"step": 10, "loss": 2.0, "error": 80.0},
    {"step": 20, "loss": 1.0, "error": 40.0, "validation_error": 50.0},
    {"step": 30, "loss": 0.5, "error": 0.0, "validation_error": 30.0},
]


def _data(line: Line2D) -> list[list[float]]:
    return np.asarray(line.get_xydata()).tolist()


def test_every_record_is_a_point() -> None:
    left, right = curves(RECORDS).axes
    assert _data(left.lines[0]) == [[10, 2.0], [20, 1.0], [30, 0.5]]
    assert [_data(line) for line in right.lines] == [[[10, 80], [20, 40], [30, 0]], [[20, 50], [30, 30]]]
    assert [text.get_text() for text in right.texts] == ["0", "30"]


def test_zero_is_not_drawn_on_a_logarithmic_axis() -> None:
    assert [axes.get_yscale() for axes in curves(RECORDS).axes] == ["log", "linear"]


def test_a_single_epoch_can_be_drawn() -> None:
    curves(RECORDS[:1]).canvas.draw()


def test_few_steps_after_the_last_whole_epoch_are_not_drawn() -> None:
    records = [{"step": step, "loss": 1.0} for step in (10, 20, 30, 32)]
    assert [x for x, _ in _data(curves(records).axes[0].lines[0])] == [10, 20, 30]
    assert [x for x, _ in _data(curves(records[:3]).axes[0].lines[0])] == [10, 20, 30]


def test_the_steps_of_a_long_training_do_not_run_into_each_other() -> None:
    figure = curves(
        [{"step": step, "loss": 1 / step, "error": 1e3 / step} for step in range(234, 150_000, 234)]
    )
    figure.canvas.draw()
    for axes in figure.axes:
        inside = [label for label in axes.get_xticklabels() if 0 <= label.get_position()[0] <= 150_000]
        boxes = [label.get_window_extent() for label in inside]
        assert axes.lines[0].get_marker() == ""
        assert "120,000" in [label.get_text() for label in inside]
        assert all(one.x1 + 4 < other.x0 for one, other in pairwise(boxes))


def test_no_epoch_is_refused() -> None:
    with pytest.raises(ValueError, match="`records` must hold at least one epoch"):
        curves([])
