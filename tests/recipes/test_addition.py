"""Pairs of digits and the networks that add them; widths and counts were worked out by hand."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from torchstn.data import DISTORTIONS, load_mnist
from torchstn.recipes.digits import Digits, split
from torchstn.recipes.mnist_addition import Config, build_model
from torchstn.recipes.mnist_addition.data import TrainingBatches, fixed_pairs, make_pairs
from torchstn.recipes.mnist_addition.paper import paper_error
from torchstn.recipes.networks import DigitClassifier
from torchstn.recipes.straightness import straightness
from torchstn.recipes.training_config import load_preset
from torchstn.recipes.width import count_parameters


@pytest.fixture(scope="module")
def digits() -> Digits:
    train, _ = split(load_mnist(None), 0)
    return train[torch.arange(0, 4000, 10)]


def flat(count: int) -> Digits:
    """Digits of one grey each, which says their class: 20 times it, and 5 more."""
    labels = torch.arange(count) % 10
    grey = (20 * labels + 5).to(torch.uint8)
    return Digits(grey[:, None, None].expand(-1, 28, 28).contiguous(), labels, torch.arange(count))


def batches(digits: Digits, seed: int = 0, batch: int = 40) -> TrainingBatches:
    return TrainingBatches(digits=digits, batch=batch, seed=seed)


def build(model: str, transform: str = "affine", **choices: int) -> DigitClassifier:
    return build_model(Config.make(model=model, transform=transform, **choices))


@pytest.mark.parametrize("preset", Config.presets())
def test_every_preset_makes_a_config(preset: str) -> None:
    assert Config.make(preset).preset == preset


def test_long_is_quick_for_twice_the_time() -> None:
    quick, long = load_preset(Config, "quick"), load_preset(Config, "long")
    stretched = {name: 2 * quick[name] for name in ("iterations", "warm_up")}
    assert long == quick | stretched


def test_the_label_is_the_sum_of_what_the_channels_show() -> None:
    pictures, sums = batches(flat(300), batch=300)(0, 0, 0, 1).tensors
    assert pictures.shape == (300, 2, 42, 42)
    shown = (pictures.flatten(2).amax(2) * 255 - 5) / 20
    torch.testing.assert_close(shown.sum(1), sums.float(), atol=1e-3, rtol=0)
    assert sums.bincount(minlength=19).min() > 0


def test_the_first_channel_is_the_digit_distorted_as_rts_does(digits: Digits) -> None:
    pairs = make_pairs(digits, digits, seed=3, epoch=2)
    alone = DISTORTIONS["RTS"](digits.images, digits.indices, seed=3, epoch=2)
    torch.testing.assert_close(pairs.pictures[:, :1], alone, atol=0, rtol=0)
    assert torch.equal(pairs.addends[:, 0], digits.labels)


def test_the_second_channel_is_distorted_independently() -> None:
    # One digit alone is its own partner, so that only the distortions can differ.
    same = flat(1)
    one = Digits(same.images.expand(300, -1, -1), same.labels.expand(300), torch.arange(300))
    pictures = make_pairs(one, same, seed=0, epoch=0).pictures.double()
    places = torch.arange(42.0, dtype=torch.float64)
    ink = pictures.sum((2, 3))
    rows = (pictures.sum(3) * places).sum(2) / ink
    columns = (pictures.sum(2) * places).sum(2) / ink
    for quantity in (ink, rows, columns):
        assert quantity[:, 0].std() > 0
        assert abs(np.corrcoef(quantity.T)[0, 1]) < 0.2  # 3.5 standard deviations of 300 independent pairs


def test_every_digit_is_as_likely_a_partner_whatever_the_first(digits: Digits) -> None:
    addends = torch.cat([make_pairs(digits, digits, seed=0, epoch=e).addends for e in range(3)])
    table = torch.zeros(10, 10).index_put(tuple(addends.T), torch.ones(len(addends)), accumulate=True)
    assert table.sum() == 1200
    assert stats.chi2_contingency(table).pvalue > 1e-3
    assert stats.chisquare(table.sum(0)).pvalue > 1e-3


def test_partners_change_with_epoch_and_seed_and_come_back(digits: Digits) -> None:
    first = batches(digits)(0, 0, 0, 1).tensors
    assert torch.equal(first[0], batches(digits)(0, 0, 0, 1).tensors[0])
    for other in (batches(digits)(1, 0, 0, 1), batches(digits, seed=1)(0, 0, 0, 1)):
        assert not torch.equal(first[0], other.tensors[0])
    addends = [make_pairs(digits, digits, seed=s, epoch=e).addends for s, e in ((0, 0), (0, 1), (1, 0))]
    assert not torch.equal(addends[0], addends[1])
    assert not torch.equal(addends[0], addends[2])


def test_the_parts_of_a_batch_are_the_batch(digits: Digits) -> None:
    whole = batches(digits)(2, 3, 0, 1)
    for part in range(3):
        share = batches(digits)(2, 3, part, 3)
        assert share.whole == 40
        for mine, all_of_it in zip(share.tensors, whole.tensors, strict=True):
            torch.testing.assert_close(mine, all_of_it[part::3], atol=1e-6, rtol=0)


def test_the_pairs_to_be_judged_by_have_each_digit_once_in_the_first_channel(digits: Digits) -> None:
    (whole,) = fixed_pairs(digits)
    assert torch.equal(whole.addends[:, 0], digits.labels)
    assert not torch.equal(whole.addends[:, 1], digits.labels)
    halves = [next(iter(fixed_pairs(digits, part, 2))) for part in (0, 1)]
    for part, half in enumerate(halves):
        torch.testing.assert_close(half.pictures, whole.pictures[part::2], atol=1e-6, rtol=0)
        assert torch.equal(half.sums, whole.sums[part::2])


@pytest.mark.parametrize(
    ("model", "width", "of_transformers"),
    [("fcn", 109, 0), ("cnn", 84, 0), ("st-fcn", 247, 115_238), ("2xst-fcn", 90, 2 * 115_238)],
)
@pytest.mark.parametrize("preset", ["demo", "quick", "paper"])
def test_widths_for_400k_parameters(model: str, width: int, of_transformers: int, preset: str) -> None:
    network = build_model(Config.make(preset, model=model))
    first = next(layer for layer in network.classifier if isinstance(layer, nn.Linear | nn.Conv2d))
    assert first.weight.shape[0] == width
    assert count_parameters(network.transformer) == of_transformers
    assert abs(count_parameters(network) / 400_000 - 1) < 0.005


@pytest.mark.parametrize("transform", ["affine", "projective", "tps"])
@pytest.mark.parametrize(("model", "channels"), [("fcn", 0), ("cnn", 0), ("st-fcn", 2), ("2xst-fcn", 4)])
def test_untrained_transformers_show_the_pair_averaged_down(
    model: str, channels: int, transform: str
) -> None:
    network = build(model, transform)
    seen: list[torch.Tensor] = []
    network.classifier.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    pictures = torch.rand(3, 2, 42, 42)
    assert network(pictures).shape == (3, 19)
    halved = nn.functional.avg_pool2d(pictures, 2)
    expected = torch.cat([halved] * (channels // 2), 1) if channels else pictures
    torch.testing.assert_close(seen[0], expected)
    assert len(network.transformers) == channels // 2


def test_two_transformers_begin_differently_so_that_they_can_part() -> None:
    first, second = build("2xst-fcn").transformers
    assert not torch.equal(next(first.localisation.parameters()), next(second.localisation.parameters()))


def test_a_budget_that_two_localisation_networks_use_up_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`parameters` leaves -100476 .* allow more"):
        build("2xst-fcn", parameters=130_000)


def test_cells_and_the_papers_numbers() -> None:
    cells = {Config.make(model=model, transform="tps").cell for model in ("fcn", "2xst-fcn")}
    assert cells == {"rts/fcn", "rts/2xst-fcn-tps"}
    assert paper_error(Config.make(model="2xst-fcn", transform="tps")) == 5.8
    assert paper_error(Config.make(model="fcn")) == 47.7
    with pytest.raises(ValueError, match="`model` must be one of fcn, cnn, st-fcn, 2xst-fcn, got 'st-cnn'"):
        Config.make(model="st-cnn")


class Turner(nn.Module):
    """Stands for two transformers: one changes nothing, one makes noise of channel 1 and keeps channel 2."""

    transformer: nn.Module

    def __init__(self) -> None:
        super().__init__()
        self.transformer = nn.Identity()
        self.transformer.forward = self._outputs  # type: ignore[method-assign]

    def _outputs(self, pictures: torch.Tensor) -> torch.Tensor:
        noise = torch.rand(pictures.shape, generator=torch.Generator().manual_seed(len(pictures)))
        return torch.cat([pictures, noise[:, :1], pictures[:, 1:]], 1)


def test_straightness_is_the_share_of_the_variance_that_the_digit_explains() -> None:
    # Of one pixel it follows from the statistic of an analysis of variance.
    labels = torch.arange(1000)[:, None] * torch.tensor([1, 7]) % 10
    pictures = (labels * torch.tensor([0.02, 0.1]) + torch.rand(1000, 2))[:, :, None, None]
    halves = zip(pictures.split(600), labels.split(600), strict=True)
    found = straightness(Turner(), halves)  # type: ignore[arg-type]
    for channel in (0, 1):
        groups = [pictures[labels[:, channel] == k, channel, 0, 0].double() for k in range(10)]
        f = stats.f_oneway(*groups).statistic
        assert float(found.before[channel]) == pytest.approx(f * 9 / (f * 9 + 990), rel=1e-6)
        means = torch.stack([group.mean() for group in groups]).float()
        torch.testing.assert_close(found.means[0, channel, :, 0, 0], means)
    torch.testing.assert_close(found.after[0], found.before)
    torch.testing.assert_close(found.after[1, 1], found.before[1])
    assert found.after[1, 0] < found.before[0]
    assert found.after[1].argmax() == 1
    doubled = straightness(Turner(), [(2 * pictures, labels)])  # type: ignore[arg-type]
    torch.testing.assert_close(doubled.before, found.before)


def test_the_localisation_networks_leak_as_much_as_is_said() -> None:
    network = build_model(Config.make(model="2xst-fcn", leak=0.25))
    assert [m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)] == [0.25] * 6
