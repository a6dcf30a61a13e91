"""The paper's networks at the paper's budgets; the widths expected here were worked out by hand."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from torchstn.recipes.deep_classifier import deep_classifier
from torchstn.recipes.distorted_mnist import build_model, make_config
from torchstn.recipes.networks import DigitClassifier, digit_classifier
from torchstn.recipes.width import count_parameters, width_for

SIZES = {"none": 28, "R": 28, "P": 28, "E": 28, "RTS": 42, "TC": 60}


def build(distortion: str, model: str, transform: str = "affine", preset: str = "paper") -> DigitClassifier:
    return build_model(make_config(distortion, model, transform, preset))


def width(model: DigitClassifier) -> int:
    first = next(layer for layer in model.classifier.modules() if isinstance(layer, nn.Linear | nn.Conv2d))
    return first.weight.shape[0]


@pytest.mark.parametrize(
    ("distortion", "model", "expected"),
    [
        ("R", "fcn", 349),
        ("RTS", "fcn", 202),
        ("TC", "fcn", 108),
        ("R", "cnn", 89),
        ("RTS", "cnn", 87),
        ("TC", "cnn", 80),
        ("R", "st-fcn", 331),
        ("RTS", "st-fcn", 400),
        ("TC", "st-fcn", 244),
    ],
)
def test_widths_for_400k_parameters(distortion: str, model: str, expected: int) -> None:
    assert width(build(distortion, model)) == expected


@pytest.mark.parametrize(
    ("distortion", "model", "expected"),
    [
        ("R", "st-fcn", 25_120 + 2 * 1_056 + 198),
        ("R", "st-cnn", 520 + 10_020 + 420 + 126),
        ("RTS", "st-cnn", 520 + 10_020 + 6_420 + 126),
        ("TC", "st-cnn", 520 + 10_020 + 32_420 + 126),
    ],
)
def test_localisation_networks_have_the_papers_layers(distortion: str, model: str, expected: int) -> None:
    assert count_parameters(build(distortion, model).transformer) == expected


@pytest.mark.parametrize("preset", ["quick", "paper"])
@pytest.mark.parametrize("distortion", ["R", "RTS", "TC"])
def test_all_models_of_an_experiment_meet_the_budget(distortion: str, preset: str) -> None:
    budget = make_config(distortion, "cnn", preset=preset).parameters
    cells = [("fcn", ""), ("cnn", ""), ("st-fcn", "tps"), ("st-cnn", "affine"), ("st-cnn", "tps")]
    for model, transform in cells:
        assert abs(count_parameters(build(distortion, model, transform, preset)) / budget - 1) < 0.03


@pytest.mark.parametrize("model", ["fcn", "cnn", "st-fcn", "st-cnn", "st-deep"])
@pytest.mark.parametrize("distortion", SIZES)
def test_pictures_to_logits_with_a_gradient_everywhere(distortion: str, model: str) -> None:
    network = build(distortion, model, preset="quick")
    side = SIZES[distortion]
    pictures = torch.rand(2, 1, side, side)
    if network.transformer is not None:
        # The head starts at zero, and what lies before it then gets no gradient yet.
        nn.init.normal_(network.transformer.head.weight, std=0.01)
    logits = network(pictures)
    assert logits.shape == (2, 10)
    logits.logsumexp(1).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("transform", ["affine", "projective", "tps"])
def test_an_untrained_transformer_changes_nothing(transform: str) -> None:
    network = build("R", "st-cnn", transform, "quick")
    pictures = torch.rand(3, 1, 28, 28)
    assert network.transformer is not None
    torch.testing.assert_close(network.transformer(pictures), pictures, atol=0, rtol=0)
    torch.testing.assert_close(network(pictures), network.classifier(pictures), atol=0, rtol=0)


@pytest.mark.parametrize(("distortion", "side"), [("RTS", 21), ("TC", 30), ("R", 28)])
def test_output_is_averaged_to_half_the_size_for_rts_and_tc(distortion: str, side: int) -> None:
    network = build(distortion, "st-fcn", preset="quick")
    seen: list[torch.Tensor] = []
    network.classifier.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    pictures = torch.rand(1, 1, SIZES[distortion], SIZES[distortion])
    network(pictures)
    expected = pictures if side == SIZES[distortion] else nn.functional.avg_pool2d(pictures, 2)
    assert seen[0].shape == (1, 1, side, side)
    torch.testing.assert_close(seen[0], expected)


def test_unpooled_pictures_are_seen_whole() -> None:
    network = build_model(make_config("RTS", "st-cnn", pooling="unpooled"))
    seen: list[torch.Tensor] = []
    network.classifier.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    pictures = torch.rand(1, 1, 42, 42)
    network(pictures)
    torch.testing.assert_close(seen[0], pictures, atol=0, rtol=0)


@pytest.mark.parametrize(("corners", "align_corners"), [("centres", True), ("edges", False)])
def test_corners_are_where_the_config_has_them(corners: str, align_corners: bool) -> None:
    network = build_model(make_config("R", "st-cnn", corners=corners))
    assert network.transformer is not None
    assert network.transformer(torch.rand(1, 1, 28, 28), return_grid=True)[1].align_corners is align_corners


@pytest.mark.parametrize("transform", ["affine", "projective", "tps"])
@pytest.mark.parametrize("distortion", ["R", "RTS", "TC"])
def test_the_deep_network_has_at_most_the_papers_parameters(distortion: str, transform: str) -> None:
    count = count_parameters(build(distortion, "st-deep", transform, "best"))
    assert 375_000 < count <= 400_000


@pytest.mark.parametrize(("distortion", "read"), [("R", 28), ("RTS", 42), ("TC", 42)])
def test_the_deep_network_reads_the_canvas_up_to_42_pixels(distortion: str, read: int) -> None:
    network = build(distortion, "st-deep", "tps")
    assert network.transformer is not None
    side = SIZES[distortion]
    assert network.transformer(torch.rand(1, 1, side, side)).shape == (1, 1, read, read)


def test_weights_come_from_the_seed_and_leave_the_generator_alone() -> None:
    before = torch.random.get_rng_state()
    first = build_model(make_config("R", "st-cnn", seed=1)).state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(123)
    again = build_model(make_config("R", "st-cnn", seed=1)).state_dict()
    other = build_model(make_config("R", "st-cnn", seed=2)).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["classifier.0.weight"], other["classifier.0.weight"])


def _square(width: int) -> nn.Module:
    return nn.Linear(width, width, bias=False)


@pytest.mark.parametrize(("budget", "expected"), [(1, 1), (4, 2), (6, 2), (7, 3), (10_000, 100)])
def test_width_comes_nearest_to_the_budget(budget: int, expected: int) -> None:
    builder: Callable[[int], nn.Module] = _square
    assert width_for(budget, builder) == expected


def test_a_budget_that_the_transformer_uses_up_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`parameters` leaves .* allow more"):
        build_model(make_config("TC", "st-fcn", parameters=100_000))


@pytest.mark.parametrize("model", ["cnn", "st-cnn"])
def test_every_convolution_computes_channels_last(model: str) -> None:
    """Weights of one channel lie so in either layout: their strides decide, and half the speed with them."""
    network = build("RTS", model, preset="quick")
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    for layer in convolutions:
        image = torch.rand(2, layer.in_channels, 20, 20).contiguous(memory_format=torch.channels_last)
        output = layer(image)
        assert output.stride() == torch.empty_like(output, memory_format=torch.channels_last).stride()


@pytest.mark.parametrize(("convolutional", "planar"), [(False, True), (True, False)])
def test_only_networks_that_convolve_put_the_channels_last(convolutional: bool, planar: bool) -> None:
    """Elsewhere it would be a copy, and back again."""
    network = digit_classifier(
        None, (28, 28), channels=2, convolutional=convolutional, pooled=False, parameters=30_000
    )
    seen: list[bool] = []
    network.pool.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].is_contiguous()))
    network(torch.rand(3, 2, 28, 28))
    assert seen == [planar]


@pytest.mark.parametrize("model", ["st-cnn", "st-fcn", "st-deep"])
def test_only_the_localisation_network_leaks_and_as_much_as_is_said(model: str) -> None:
    network = build_model(make_config("R", model, preset="best", leak=0.25))
    leaky = [layer.negative_slope for layer in network.modules() if isinstance(layer, nn.LeakyReLU)]
    assert leaky == [0.25] * 3
    assert not any(isinstance(layer, nn.LeakyReLU) for layer in network.classifier.modules())
    papers = build_model(make_config("R", "st-cnn", preset="paper"))
    assert not any(isinstance(layer, nn.LeakyReLU) for layer in papers.modules())


def test_the_deep_classifier_drops_as_many_features_as_is_said() -> None:
    network = deep_classifier(1, 10, 4, dropout=0.35)
    assert [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)] == [0.35]
