"""The running average of the weights, against torch's own and the weights it should forget."""

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from torchstn.training import WeightAverage


def wander(model: nn.Module) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))


def test_late_in_a_training_it_is_torchs_average() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    ours = WeightAverage(model, 0.9)
    theirs = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    theirs.update_parameters(model)
    for step in range(1_000, 1_010):
        wander(model)
        model(torch.randn(8, 3))
        ours.update(model, step)
        theirs.update_parameters(model)
    for name, value in theirs.module.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(ours.model.state_dict()[name], value, atol=1e-6, rtol=0)


def test_the_start_is_forgotten_sooner() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    average = WeightAverage(model, 0.999)
    nn.init.zeros_(model.weight)
    average.update(model, 1)
    assert average.model.weight.item() == pytest.approx(1 / 10)
    average.update(model, 2)
    assert average.model.weight.item() == pytest.approx(1 / 10 * 2 / 11)


def test_what_is_counted_is_copied_and_the_model_left_alone() -> None:
    model = nn.BatchNorm1d(2)
    average = WeightAverage(model, 0.5)
    model(torch.rand(6, 2))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    average.update(model, 5)
    assert torch.allclose(average.model.running_mean, model.running_mean * 9 / 14)  # from zero
    assert int(average.model.num_batches_tracked) == 1
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training
    assert not average.model.training
    assert not any(parameter.requires_grad for parameter in average.model.parameters())


def test_a_buffer_that_is_not_finite_stays_what_it_is() -> None:
    model = nn.Linear(1, 1)
    model.register_buffer("mask", torch.tensor([0.0, -float("inf")]))
    average = WeightAverage(model, 0.5)
    average.update(model, 1)
    assert torch.equal(average.model.mask, model.mask)


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_a_decay_out_of_range_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match=r"`decay` must lie in \[0, 1\)"):
        WeightAverage(nn.Linear(1, 1), decay)
