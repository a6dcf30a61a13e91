"""What a step costs follows from two measurements, also when the machine was busy during the shorter one."""

from types import SimpleNamespace

import pytest

from torchstn.reproduce import Cell, costs, measure

CELL = Cell("distorted-mnist", "r/fcn", (("distortion", "R"), ("model", "fcn")))


@pytest.mark.parametrize(
    ("few", "many", "pace"),
    [
        pytest.param(3.0, 8.0, 5.0 / 10, id="the-difference-without-what-beginning-takes"),
        pytest.param(3.0, 2.6, 2.6 / 13, id="at-most-where-the-few-took-longer"),
    ],
)
def test_a_step_costs_something(
    few: float, many: float, pace: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trial(*words: object) -> SimpleNamespace:
        steps = words[-2]
        return SimpleNamespace(seconds=few if steps == 3 else many, wall=10.0, memory=None)

    monkeypatch.setattr(costs, "_trial", trial)
    monkeypatch.setattr(costs, "_LONG", 10.0)
    assert measure(CELL, "quick", threads=1).pace == pytest.approx(pace)
