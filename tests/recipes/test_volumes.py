"""The 3-D recipe: networks of one size, the transformer's start, batches by address, a whole training."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from torchstn.data import load_mnist
from torchstn.recipes.digits import Digits, split
from torchstn.recipes.finished import evaluate
from torchstn.recipes.supervised import train
from torchstn.recipes.volumes import Config, build_model
from torchstn.recipes.volumes.config import MODELS
from torchstn.recipes.volumes.data import Volumes
from torchstn.recipes.volumes.measure import measure
from torchstn.recipes.width import count_parameters

EACH = pytest.mark.parametrize("model", MODELS)


def small(model: str = "st", **overrides: Any) -> Config:
    settings = {"iterations": 2, "batch": 4, "validation": 10, "threads": 1, "device": "cpu"}
    return Config.make("demo", model=model, **(settings | overrides))


@pytest.fixture(scope="module")
def digits() -> Digits:
    return split(load_mnist(), 10)[1]


def samples(config: Config, digits: Digits) -> Volumes:
    return Volumes(config, digits, digits)


@EACH
@pytest.mark.parametrize("preset", ["demo", "quick", "paper"])
def test_all_networks_have_one_size(model: str, preset: str) -> None:
    config = Config.make(preset, model=model)
    with torch.device("meta"):
        assert abs(count_parameters(build_model(config)) / config.parameters - 1) < 0.03


@EACH
def test_volumes_to_logits_with_a_gradient_everywhere(model: str) -> None:
    network = build_model(small(model))
    if network.transformer is not None:
        # The head starts at zero, and what lies before it then gets no gradient yet.
        nn.init.normal_(network.transformer.head.weight, std=0.01)
    logits = network(torch.rand(2, 1, 60, 60, 60))
    assert logits.shape == (2, 10)
    logits.logsumexp(1).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_at_the_start_each_voxel_of_the_output_is_the_mean_of_eight_of_the_input() -> None:
    network = build_model(small("st"))
    volumes = torch.rand(2, 1, 60, 60, 60)
    assert network.transformer is not None
    torch.testing.assert_close(network.transformer(volumes), nn.functional.avg_pool3d(volumes, 2))


@pytest.mark.parametrize(("model", "shape"), [("st", (1, 30, 30)), ("projection", (1, 60, 60))])
def test_the_classifier_sees_the_sum_over_depth(model: str, shape: tuple[int, ...]) -> None:
    network = build_model(small(model))
    seen: list[torch.Tensor] = []
    network.classifier.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    volumes = torch.rand(1, 1, 60, 60, 60)
    network(volumes)
    assert seen[0].shape == (1, *shape)
    expected = volumes if model == "projection" else nn.functional.avg_pool3d(volumes, 2)
    torch.testing.assert_close(seen[0], torch.einsum("bcdhw->bchw", expected), rtol=1e-5, atol=1e-5)


def test_a_cell_is_named_by_its_network() -> None:
    assert [small(model).cell for model in MODELS] == ["3d/st", "3d/projection", "3d/cnn-3d"]


def test_a_training_volume_depends_on_seed_epoch_and_index_alone(digits: Digits) -> None:
    batches = samples(small(), digits).training()
    first, again = batches(0, 1, 0, 1).tensors, batches(0, 1, 0, 1).tensors
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    halves = [batches(0, 1, part, 2).tensors[0] for part in (0, 1)]
    assert torch.equal(torch.stack(halves, 1).flatten(0, 1), first[0])
    assert not torch.equal(first[0], batches(1, 1, 0, 1).tensors[0])


def test_the_volumes_judged_by_are_the_same_for_every_seed_and_process(digits: Digits) -> None:
    whole = [torch.cat(parts) for parts in zip(*samples(small(), digits).held_out(), strict=True)]
    other = [torch.cat(parts) for parts in zip(*samples(small(seed=1), digits).held_out(1, 2), strict=True)]
    assert torch.equal(other[0], whole[0][1::2])
    assert torch.equal(other[1], whole[1][1::2])


def test_a_training_ends_in_a_result_and_a_run_that_says_how_digits_are_seen(tmp_path: Path) -> None:
    record = train(small(), tmp_path, progress=False)
    assert (record["recipe"], record["cell"], record["paper"]) == ("volumes", "3d/st", None)
    assert record["command"].startswith("torchstn train volumes --model st --preset demo --seed 0")
    judged = evaluate(tmp_path)
    assert judged["error"] == pytest.approx(record["value"], abs=1e-4)
    assert set(judged["view"]) == {"untransformed", "transformed"}
    assert 10 < judged["view"]["untransformed"]["tilt (degrees)"] < 40


def test_an_untrained_transformer_sees_what_a_projection_sees(digits: Digits) -> None:
    config, volumes = small(), samples(small(), digits)
    seen = measure(volumes, build_model(config))["view"]
    assert seen["transformed"] == pytest.approx(seen["untransformed"])
    assert set(measure(volumes, build_model(small("cnn-3d")))["view"]) == {"untransformed"}
