"""Learning rates by step, against torch's own schedulers and numbers worked out by hand."""

import itertools

import pytest
import torch
from torch.optim import lr_scheduler

from torchstn.training import constant, stairs, warm_cosine


def torchs(scheduler: type[lr_scheduler.LRScheduler], steps: int, **settings: object) -> list[float]:
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = scheduler(optimiser, **settings)
    rates = []
    for _ in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    return rates


@pytest.mark.parametrize(("every", "factor"), [(1, 0.5), (3, 0.1), (7, 0.9)])
def test_stairs_are_torchs_step_lr(every: int, factor: float) -> None:
    ours = [stairs(every, factor)(step) for step in range(20)]
    assert ours == pytest.approx(torchs(lr_scheduler.StepLR, 20, step_size=every, gamma=factor))


@pytest.mark.parametrize("floor", [0.0, 0.25])
def test_without_warm_up_the_cosine_is_torchs(floor: float) -> None:
    ours = [warm_cosine(30, 0, floor)(step) for step in range(31)]
    assert ours == pytest.approx(
        torchs(lr_scheduler.CosineAnnealingLR, 31, T_max=30, eta_min=floor), abs=1e-12
    )


def test_the_warm_up_rises_in_a_line_to_the_full_rate_and_falls_from_there() -> None:
    schedule = warm_cosine(20, 4)
    rates = [schedule(step) for step in range(21)]
    assert rates[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[4:]))
    assert rates[12] == pytest.approx(0.5)
    assert rates[20] == 0


def test_after_its_end_the_cosine_stays_at_the_floor() -> None:
    assert warm_cosine(10, 2, 0.1)(50) == pytest.approx(0.1)


def test_the_papers_stairs_divide_by_ten() -> None:
    schedule = stairs(50_000)
    steps = (0, 49_999, 50_000, 99_999, 100_000, 149_999)
    assert [schedule(step) for step in steps] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_constant_is_one_throughout() -> None:
    assert {constant()(step) for step in (0, 1, 10**9)} == {1.0}


@pytest.mark.parametrize("warm_up", [-1, 10, 11])
def test_a_warm_up_that_does_not_fit_is_refused(warm_up: int) -> None:
    with pytest.raises(ValueError, match=f"`warm_up` must be at least 0 and less than .* got {warm_up}"):
        warm_cosine(10, warm_up)


def test_stairs_of_no_width_are_refused() -> None:
    with pytest.raises(ValueError, match="`every` must be at least 1 step, got 0"):
        stairs(0)
