"""The cases are those that were promised, and can be chosen by name."""

import pytest
import torch

from benchmarks.cases import CASES, select
from benchmarks.peers import PEERS
from benchmarks.problem import make_problem


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_peer_is_known_and_every_target_is_measured() -> None:
    assert {name for case in CASES for name in case.peers} <= set(PEERS)
    assert all(case.target.peer in case.peers for case in CASES if case.target)


def test_thirteen_targets_stand() -> None:
    targets = [
        (case.family, case.shape, case.target.forward, case.target.both) for case in CASES if case.target
    ]
    assert len(targets) == 13
    assert ("thin-plate", (16, 3, 224, 224), 60, 25) in targets
    assert ("points", (1, 1, 160, 192, 160), 3, 3) in targets


def test_a_pattern_chooses_cases() -> None:
    assert [case.name for case in select(["affine-photos*", "points"])] == [
        "affine-photos",
        "affine-photos-last",
        "points",
    ]
    assert select([]) == CASES


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(ValueError, match=r"affine-digits, .*free-form.*got 'afine'"):
        select(["points", "afine"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_shrunk_case_goes_by_another_title(case) -> None:
    assert case.shrunk().title not in {case.title for case in CASES}


@pytest.mark.parametrize("case", [case.shrunk() for case in CASES], ids=lambda case: case.name)
def test_a_problem_is_the_same_each_time_in_the_layout_asked_for(case) -> None:
    first, second = make_problem(case), make_problem(case)
    assert torch.equal(first.image, second.image)
    assert torch.equal(first.parameter, second.parameter)
    assert first.image.shape == first.grad_output.shape == case.shape
    assert (first.image.stride(1) == 1) == case.channels_last
