"""Tables of what finished models were measured to do."""

from collections.abc import Mapping
from typing import Any

from torchstn.figures import Result, parts_table, settled_table, view_table


def _result(cell: str, measured: Mapping[str, Any]) -> Result:
    return Result("any", cell, 0, "test error (%)", 9.0, None, 10, "quick", 100, 1.0, "", "", measured)


def test_a_transformer_settles_where_it_raises_most_what_is_explained() -> None:
    # Channel 1 is explained best before and after, but it is channel 2 that the first transformer changes.
    measured = {"straight_before": [0.30, 0.01], "straight_after": [[0.31, 0.20], [0.5, 0.0]]}
    lines = settled_table([_result("rts/2xst-fcn-tps", measured)]).splitlines()
    assert lines[2] == (
        "| `2xst-fcn-tps` | 0 | quick | 30.0 %, 1.0 % | channel 2: 31.0 %, 20.0 % | channel 1: 50.0 %, 0.0 % "
        "| yes |"
    )


def test_two_on_one_channel_have_none_of_their_own() -> None:
    measured = {"straight_before": [0.01, 0.01], "straight_after": [[0.2, 0.0], [0.3, 0.0]]}
    assert settled_table([_result("rts/2xst-fcn-tps", measured)]).splitlines()[2].endswith("| no |")


def test_one_transformer_cannot_be_said_to_have_its_own() -> None:
    measured = {"straight_before": [0.01, 0.01], "straight_after": [[0.2, 0.0]]}
    assert settled_table([_result("rts/st-fcn-tps", measured)]).splitlines()[2].endswith("|  | - |")


def test_what_was_not_measured_is_left_out() -> None:
    one_channel = {"straight_before": [0.1], "straight_after": [[0.2]]}
    results = [_result("rts/fcn", {}), _result("r/st-fcn-tps", one_channel)]
    assert settled_table(results) == "No results yet.\n"
    assert view_table(results) == "No results yet.\n"
    assert parts_table(results) == "No results yet.\n"


def test_a_view_is_given_before_and_after() -> None:
    view = {"untransformed": {"tilt (degrees)": 24.04}, "transformed": {"tilt (degrees)": 9.96}}
    lines = view_table([_result("3d/st", {"view": view})]).splitlines()
    assert lines[0] == "| network | seed | preset | tilt (degrees) |"
    assert lines[2] == "| `st` | 0 | quick | 24.0 to 10.0 |"


def test_each_transformer_says_what_it_holds_and_what_boxes_would_that_stay() -> None:
    def kind(held: float, whole: float) -> dict[str, dict[str, float]]:
        ways = {"moving": 0.0, "fixed": 1.0, "start": 2.0}
        return {way: {"held": held - less, "whole": whole - less} for way, less in ways.items()}

    parts = [{"head": kind(90.06, 80), "body": kind(40, 20)}, {"head": kind(30, 10), "body": kind(70, 50)}]
    lines = parts_table([_result("224px/2xst-cnn", {"parts": parts})]).splitlines()
    assert len(lines) == 2 + 2
    assert lines[2] == (
        "| `224px/2xst-cnn` | 0 | quick | 1 | 90.1 (89.1, 88.1) | 80.0 (79.0, 78.0) "
        "| 40.0 (39.0, 38.0) | 20.0 (19.0, 18.0) |"
    )
    assert "| 2 | 30.0 (29.0, 28.0) |" in lines[3]
