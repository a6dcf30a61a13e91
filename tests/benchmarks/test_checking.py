"""Whoever computes something else is found out before anything is timed."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from benchmarks.case import Case
from benchmarks.cases import select
from benchmarks.checking import check
from benchmarks.peers import PEERS
from benchmarks.problem import make_problem
from benchmarks.solution import DisagreementError, Gradients, Solution, solve

(CASE,) = select(["affine-features"])
CASE = CASE.shrunk()


@pytest.fixture(scope="module")
def ours() -> Gradients:
    return solve(CASE, Solution(PEERS["torchstn"](CASE), make_problem(CASE)))


def test_equal_results_agree(ours: Gradients) -> None:
    agreement = check(CASE, ours, ours, "itself")
    assert (agreement.output, agreement.image, agreement.parameter) == (0, 0, 0)


def test_a_peer_without_gradients_is_compared_by_its_output(ours: Gradients) -> None:
    agreement = check(CASE, ours, replace(ours, image=None, parameter=None), "forward only")
    assert agreement.parameter is None


@pytest.mark.parametrize("part", ["output", "image", "parameter"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda value: value * 1.01, id="scaled"),
        pytest.param(lambda value: -value, id="negative"),
        pytest.param(torch.zeros_like, id="zeros"),
        pytest.param(lambda value: value.roll(1, -1), id="shifted"),
        pytest.param(lambda value: value * float("nan"), id="nan"),
        pytest.param(lambda value: value[..., :-1], id="cut"),
    ],
)
def test_a_wrong_value_or_gradient_is_caught(
    ours: Gradients, part: str, change: Callable[[Tensor], Tensor]
) -> None:
    wrong = replace(ours, **{part: change(getattr(ours, part))})
    with pytest.raises(DisagreementError):
        check(CASE, ours, wrong, "peer")
    with pytest.raises(DisagreementError):
        check(CASE, wrong, ours, "peer")


def test_one_wrong_pixel_is_caught_where_the_whole_hides_it() -> None:
    case = replace(CASE, shape=(8, 4, 200, 200))
    output = torch.rand(case.shape)
    wrong = output.clone()
    wrong[3, 2, 100, 100] += 0.5
    with pytest.raises(DisagreementError, match="one place"):
        check(case, Gradients(output, None, None), Gradients(wrong, None, None), "peer")


def test_a_refusal_names_case_peer_and_part(ours: Gradients) -> None:
    wrong = replace(ours, parameter=ours.parameter * 2)
    with pytest.raises(DisagreementError, match=r"affine-features.*torch.*gradient of the parameters"):
        check(CASE, ours, wrong, "torch")


def test_a_pass_that_gives_another_output_without_gradients_is_caught() -> None:
    call = PEERS["torch"](CASE)

    def run(image: Tensor, matrix: Tensor) -> Tensor:
        output = call.run(image, matrix)
        return output if image.requires_grad else output + 0.1

    with pytest.raises(DisagreementError, match="gradients are wanted"):
        solve(CASE, Solution(replace(call, run=run), make_problem(CASE)))


def test_a_gradient_of_nothing_counts_as_zeros() -> None:
    case: Case = replace(CASE, kernel="nearest")
    problem = make_problem(case)
    both = [solve(case, Solution(PEERS[name](case), problem)) for name in ("torchstn", "torch")]
    assert check(case, *both, "torch").parameter == 0
