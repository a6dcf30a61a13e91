"""Muon gets the layers' weights, AdamW all else, each group at its own rate."""

import torch
from torch import nn

from torchstn import SpatialTransformer
from torchstn.recipes.distorted_mnist import RECIPE, make_config
from torchstn.recipes.optimisation import make_optimiser


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
