"""Optimisers, schedules and the loop's settings are the config's; Muon gets the layers' weights alone."""

from typing import Any

import pytest
import torch
from accelerate import Accelerator
from pytorch_optimizer import Muon
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from torchstn import SpatialTransformer
from torchstn.recipes.distorted_mnist import RECIPE, make_config
from torchstn.recipes.muon import QuickMuon
from torchstn.recipes.optimisation import make_optimiser, make_schedule, make_settings


class Products(TorchDispatchMode):
    """Notes in which types matrices are multiplied."""

    def __init__(self) -> None:
        super().__init__()
        self.types: set[torch.dtype] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket in (torch.ops.aten.mm, torch.ops.aten.addmm):
            self.types.add(result.dtype)
        return result


def test_muon_leaves_heads_and_biases_to_adamw() -> None:
    config = make_config("R", "st-cnn", "tps", optimiser="muon", localisation_rate=0.5, parameters=30_000)
    model: nn.Module = RECIPE.build_model(config, ())
    heads = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, SpatialTransformer)
        for parameter in module.head.parameters()
    }
    localising = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, SpatialTransformer)
        for parameter in module.parameters()
    }
    assert heads
    seen = []
    for group in make_optimiser(model, config).param_groups:
        for parameter in group["params"]:
            seen.append(id(parameter))
            assert group["use_muon"] == (parameter.ndim > 1 and id(parameter) not in heads)
            rate = config.learning_rate * (0.5 if id(parameter) in localising else 1.0)
            assert (group["lr"], group["weight_decay"]) == (rate, config.weight_decay)
    assert sorted(seen) == sorted(map(id, model.parameters()))


def test_a_step_of_muon_moves_every_singular_value_alike() -> None:
    config = make_config("R", "fcn", optimiser="muon", parameters=30_000)
    model = RECIPE.build_model(config, ())
    weight = next(parameter for parameter in model.parameters() if parameter.ndim > 1)
    before = weight.detach().clone()
    model(torch.rand(4, 1, 28, 28)).logsumexp(1).sum().backward()
    make_optimiser(model, config).step()
    step = weight.detach() - before * (1 - config.learning_rate * config.weight_decay)
    size = torch.linalg.svdvals(step) / (config.learning_rate * 0.2 * max(weight.shape) ** 0.5)
    assert size[0] < 1.3
    assert size[3] > 0.5


@pytest.mark.parametrize("shape", [(47, 47, 7, 7), (64, 70), (70, 64), (10, 300), (300, 10)])
def test_the_orthogonal_step_is_that_of_the_package(shape: tuple[int, ...]) -> None:
    """Which computes it in bfloat16: some hundredths of the largest entries are what that rounds."""
    gradient = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    moved = []
    for optimiser in (QuickMuon, Muon):
        weight = nn.Parameter(torch.zeros(shape))
        weight.grad = gradient.clone()
        optimiser([{"params": [weight], "use_muon": True, "use_adjusted_lr": True, "lr": 1.0}]).step()
        moved.append(weight.detach())
    ours, theirs = moved
    assert ours.abs().max() > 0.1
    assert (ours - theirs).abs().max() < 0.05 * theirs.abs().max()


def test_the_orthogonal_step_is_quick_where_bfloat16_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is asked for no product in bfloat16 where the processor has none."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    weight = nn.Parameter(torch.zeros(40, 50))
    weight.grad = torch.randn(40, 50, generator=torch.Generator().manual_seed(0))
    with Products() as products:
        QuickMuon([{"params": [weight], "use_muon": True}]).step()
    assert products.types == {torch.float32}


@pytest.mark.parametrize(("name", "kind"), [("sgd", torch.optim.SGD), ("adamw", torch.optim.AdamW)])
def test_the_other_optimisers_have_the_configs_numbers(name: str, kind: type) -> None:
    more = {"optimiser": name, "momentum": 0.7, "weight_decay": 0.03, "localisation_rate": 0.5}
    config = make_config("R", "st-cnn", parameters=30_000, **more)
    made = make_optimiser(RECIPE.build_model(config, ()), config)
    assert type(made) is kind
    rates = [(group["lr"], group["weight_decay"]) for group in made.param_groups]
    assert rates == [(config.learning_rate, 0.03), (config.learning_rate * 0.5, 0.03)]
    assert {group.get("momentum", 0.7) for group in made.param_groups} == {0.7}


def test_the_schedule_and_the_loops_settings_are_the_configs() -> None:
    paper = make_schedule(make_config("R", "cnn", preset="paper"))
    assert [paper(step) for step in (0, 49_999, 50_000, 100_000)] == pytest.approx([1, 1, 0.1, 0.01])
    cosine = make_schedule(make_config("R", "cnn", iterations=100, warm_up=10))
    assert [cosine(step) for step in (0, 9, 55, 100)] == pytest.approx([0.1, 1, 0.5, 0])
    few = {"seed": 7, "clip_norm": 0.3, "average_decay": 0.8, "patience": 3, "checkpoint_seconds": 4.0}
    config = make_config("R", "cnn", iterations=50, validation=10, **few)
    made = make_settings(config, Accelerator(cpu=True))
    assert {name: getattr(made, name) for name in few} == few
    assert (made.steps, made.ahead) == (50, False)
