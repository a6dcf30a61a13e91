"""Networks of every recipe become programs: in 3-D, of several transformers, of one within a backbone."""

from typing import Any

import pytest
import torch

from torchstn.recipes.exporting import whole, write
from torchstn.recipes.registry import RECIPES
from torchstn.recipes.svhn.augmentation import normalised

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "volumes": ("demo", {"model": "st"}),
    "mnist-addition": ("demo", {"model": "2xst-fcn", "transform": "projective"}),
    "svhn": ("demo", {"model": "st-cnn-multi"}),
    "birds": ("demo", {"model": "2xst-cnn", "pixels": "64", "backbone": "small", "weights": "none"}),
    "images": ("scratch", {"transform": "tps", "at": "image,block2", "size": 48, "crop": 32}),
}


@pytest.mark.parametrize("name", ["svhn", "birds"])
def test_what_is_written_is_in_eval_mode(name: str) -> None:
    model = whole(RECIPES[name], torch.nn.Dropout().train())
    assert not any(part.training for part in model.modules())


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("suffix", [".pt2", ".onnx"])
def test_a_network_becomes_a_program(name: str, suffix: str) -> None:
    preset, choices = CASES[name]
    recipe = RECIPES[name]
    config = recipe.config.make(preset, **choices)
    network = recipe.build_model(config, ("a", "b", "c"))
    model = whole(recipe, network)
    for parameter in model.parameters():  # an untrained transformer would change nothing
        parameter.add_(torch.randn_like(parameter), alpha=0.02)
    inputs = torch.rand(3, *recipe.shape(config))
    _, program = write(model, inputs[:2], suffix, {})
    taken = normalised(inputs * 255) if name == "svhn" else inputs  # as `torchstn predict` does with bytes
    torch.testing.assert_close(program(inputs), network(taken), atol=1e-3, rtol=1e-3)
