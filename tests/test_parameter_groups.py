"""The slower learning rate of what decides where to look."""

import pytest
import torch
from support.families import IN_2D, Family
from support.transformers import family, transformer
from torch import nn

import torchstn as stn


def names(model: nn.Module, group: dict[str, object]) -> set[str]:
    wanted = {id(parameter) for parameter in group["params"]}
    return {name for name, parameter in model.named_parameters() if id(parameter) in wanted}


def network() -> nn.Sequential:
    return nn.Sequential(transformer("affine"), nn.Flatten(), nn.Linear(72, 3))


def test_separates_localisation_from_the_rest() -> None:
    model = network()
    rest, slow = stn.parameter_groups(model, 0.5, localisation_scale=0.01)
    assert (rest["name"], rest["lr"]) == ("rest", 0.5)
    assert (slow["name"], slow["lr"]) == ("localisation", 0.005)
    assert names(model, rest) == {"2.weight", "2.bias"}
    assert names(model, slow) == {
        "0.localisation.layers.1.weight",
        "0.localisation.layers.1.bias",
        "0.head.weight",
        "0.head.bias",
    }


def test_a_tenth_by_default() -> None:
    assert stn.parameter_groups(network(), 1.0)[1]["lr"] == pytest.approx(0.1)


@pytest.mark.parametrize("one", IN_2D)
def test_holds_every_parameter_once(one: Family) -> None:
    # One localisation network serves two transformers, and the classifier reads its features too.
    shared = stn.localisation.FullyConnected(1, (8, 9), (8,))
    parts = stn.Parallel([stn.SpatialTransformer(shared, one.make()) for _ in range(2)])
    model = nn.ModuleList([parts, shared, nn.Linear(8, 2)])
    held = [p for group in stn.parameter_groups(model, 0.1) for p in group["params"]]
    assert len(held) == len({id(p) for p in held})
    assert {id(p) for p in held} == {id(p) for p in model.parameters()}


def test_a_learned_transform_is_slow() -> None:
    model = nn.Sequential(transformer("basis"), nn.Linear(9, 1))
    slow = stn.parameter_groups(model, 0.1)[1]
    assert "0.transform.functions" in names(model, slow)


def test_a_transformer_alone_is_slow_and_a_plain_model_is_not() -> None:
    (slow,) = stn.parameter_groups(transformer(), 0.1)
    assert slow["name"] == "localisation"
    (rest,) = stn.parameter_groups(nn.Linear(2, 2), 0.1)
    assert (rest["name"], rest["lr"]) == ("rest", 0.1)


def test_frozen_parameters_stay_in_their_group() -> None:
    model = network()
    model[0].localisation.requires_grad_(False)
    slow = stn.parameter_groups(model, 0.1)[1]
    assert len(slow["params"]) == 4


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_an_optimiser_steps_at_the_two_rates(kind: type[torch.optim.Optimizer]) -> None:
    model = network()
    optimiser = kind(stn.parameter_groups(model, 0.5, 0.1), weight_decay=0.0)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    for name, parameter in model.named_parameters():
        step = 0.5 if name.startswith("2.") else 0.05  # of both kinds, for a first gradient of one
        torch.testing.assert_close(
            before[name] - parameter, torch.full_like(parameter, step), rtol=1e-4, atol=1e-6
        )


def test_zero_rates_freeze() -> None:
    assert stn.parameter_groups(network(), 0.1, 0.0)[1]["lr"] == 0
    assert [group["lr"] for group in stn.parameter_groups(network(), 0.0)] == [0, 0]


@pytest.mark.parametrize("rates", [(-0.1, 0.1), (0.1, -1.0), (float("nan"), 0.1), (0.1, float("nan"))])
def test_refuses_rates_that_are_none(rates: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"`lr` and `localisation_scale` must not be negative, got"):
        stn.parameter_groups(transformer(family("rigid")), *rates)
