"""The recipe of house numbers: networks, crops as they are trained on, and what is held out."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from support.house_numbers import houses as some_houses
from support.house_numbers import write_data, write_zip
from torch import nn

from torchstn import sample
from torchstn.data import Draws
from torchstn.recipes.judging import score
from torchstn.recipes.svhn import RECIPE, Config, build_model
from torchstn.recipes.svhn.augmentation import Augmentation, middle, normalised, stored_side
from torchstn.recipes.svhn.config import MODELS
from torchstn.recipes.svhn.data import HouseNumbers, load
from torchstn.recipes.svhn.paper import paper_error
from torchstn.recipes.training_config import load_preset
from torchstn.recipes.width import count_parameters
from torchstn.transform import Affine

EACH = pytest.mark.parametrize("model", MODELS)
STILL = Augmentation(shift=0.0, stretch=0.0, turn=0.0, negatives=0.0)


def small(data: Path | None = None, **overrides: Any) -> Config:
    settings = {"width": 0.05, "iterations": 2, "batch": 8, "threads": 1, "device": "cpu", "data_dir": data}
    return Config.make("demo", **(settings | overrides))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_data(tmp_path_factory.mktemp("svhn"))
    write_zip(folder / "more.zip", some_houses(10, first=3))
    return folder


@pytest.fixture(autouse=True)
def data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where crops are kept: one folder for all tests, so that they are cut out once."""
    folder = tmp_path_factory.getbasetemp() / "svhn-store"
    monkeypatch.setenv("TORCHSTN_DATA", str(folder))
    return folder


# By hand from appendix A.5: weights and biases of eight convolutions of 5 x 5, three layers of 3072 units and
# five answers of eleven; of the localisation networks likewise.
_FILTERS = (3, 48, 64, 128, 160, 192, 192, 192, 192)
_CONVOLUTIONS = sum(25 * a * b + b for a, b in pairwise(_FILTERS))


def _units(*widths: int) -> int:
    return sum(a * b + b for a, b in pairwise(widths))


@pytest.mark.parametrize("pixels", [64, 128])
def test_the_papers_networks_have_the_papers_layers(pixels: int) -> None:
    cnn = _CONVOLUTIONS + _units(192 * (pixels // 16) ** 2, 3072, 3072, 3072, 55)
    single = (25 * 3 * 32 + 32) + (25 * 32 * 32 + 32) + _units(32 * (pixels // 2) ** 2, 32, 32, 6)
    maps = ((3, pixels), (48, pixels // 2), (64, pixels // 2), (128, pixels // 4))
    multi = sum(_units(channels * side**2, 32, 32, 6) for channels, side in maps)
    expected = dict(zip(MODELS, (cnn, cnn + single, cnn + multi), strict=True))
    for model in MODELS:
        config = Config.make("paper", model=model, pixels=str(pixels))
        with torch.device("meta"):
            assert count_parameters(build_model(config)) == expected[model], model


@EACH
@pytest.mark.parametrize("normalisation", ["none", "batch"])
def test_pictures_to_five_answers_with_a_gradient_everywhere(model: str, normalisation: str) -> None:
    network = build_model(small(model=model, normalisation=normalisation))
    for transformer in network.transformers:
        # The head starts at zero, and what lies before it then gets no gradient yet.
        torch.nn.init.normal_(transformer.head.weight, std=0.01)
    logits = network(torch.randn(8, 3, 64, 64))
    assert logits.shape == (8, 5, 11)
    logits.logsumexp(-1).square().sum().backward()
    silent = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().max() > 0
    ]
    # Batch normalisation takes the mean away, and with it whatever a bias before it adds.
    assert [name for name in silent if normalisation == "none" or not name.endswith("0.bias")] == []


@EACH
def test_training_drops_what_the_config_says_of_all_layers_but_the_first(model: str) -> None:
    network = build_model(small(model=model, drop_maps=0.15, dropout=0.35))
    # After seven of the convolutions and the three layers of units.
    shares = [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)]
    assert shares == [0.15] * 7 + [0.35] * 3


@pytest.mark.parametrize(("model", "count"), [("cnn", 0), ("st-cnn-single", 1), ("st-cnn-multi", 4)])
def test_transformers_start_by_changing_nothing(model: str, count: int) -> None:
    network = build_model(small(model=model)).eval()
    pictures = torch.randn(2, 3, 64, 64)
    logits, grids = network.look(pictures)
    assert len(grids) == len(network.transformers) == count
    torch.testing.assert_close(logits, network(pictures))
    for transformer, grid in zip(network.transformers, grids, strict=True):
        maps = torch.rand(2, 5, *grid.size)
        assert torch.equal(transformer.sampler(maps, grid), maps)


def test_cells_are_the_papers() -> None:
    found = {
        config.cell: paper_error(config)
        for pixels in ("64", "128")
        for config in (Config.make(pixels=pixels, model=model) for model in MODELS)
    }
    assert found == {
        "64px/cnn": 4.0,
        "64px/st-cnn-single": 3.7,
        "64px/st-cnn-multi": 3.6,
        "128px/cnn": 5.6,
        "128px/st-cnn-single": 3.9,
        "128px/st-cnn-multi": 3.9,
    }


def test_other_photographs_make_another_column_without_a_number_of_the_papers() -> None:
    official, other = (Config.make(extra=name, model="cnn") for name in ("extra", "stitched"))
    assert (official.cell, paper_error(official)) == ("64px/cnn", 4.0)
    assert (other.cell, paper_error(other)) == ("64px-stitched/cnn", None)
    assert len({config.title for config in (official, other, Config.make(model="cnn"))}) == 3


@pytest.mark.parametrize("name", ["", "../else", "more.zip", "a\\b"])
def test_an_extra_is_a_name_not_a_path(name: str) -> None:
    with pytest.raises(ValueError, match="`extra` must be the name of a folder or zip without its ending"):
        Config.make(extra=name)


@pytest.mark.parametrize("preset", ["demo", "quarter", "paper"])
def test_a_preset_says_every_choice_it_may(preset: str) -> None:
    made = Config.make(preset)
    assert all(getattr(made, name) == value for name, value in load_preset(Config, preset).items())
    assert Config.make() == Config.make("quarter")
    with pytest.raises(ValueError, match="`preset` must be one of demo, quarter, paper, got 'quick'"):
        Config.make("quick")


@pytest.mark.parametrize("name", ["dropout", "drop_maps", "negatives"])
def test_a_share_must_be_less_than_one(name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}` must be less than 1, got 1"):
        small(**{name: 1.0})


def test_unchanged_crops_are_the_middle_of_what_is_kept_normalised() -> None:
    stored = torch.randint(0, 256, (4, 3, stored_side(64), stored_side(64)), dtype=torch.uint8)
    made = STILL(stored, 64, Draws(0, 0, torch.arange(4).numpy()))
    assert stored_side(64) == 80
    torch.testing.assert_close(made, normalised(stored[:, :, 8:72, 8:72]), rtol=0, atol=1e-6)
    torch.testing.assert_close(made.mean((1, 2, 3)), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(made.square().mean((1, 2, 3)), torch.ones(4))


def test_light_and_contrast_say_nothing() -> None:
    pictures = torch.randint(50, 100, (2, 3, 16, 16))
    torch.testing.assert_close(normalised(2 * pictures + 30), normalised(pictures))


@pytest.mark.parametrize(
    ("change", "most"),
    [({"shift": 0.125}, 8), ({"stretch": 0.25}, 8), ({"turn": 10.0}, 32 * 0.18 + 32 * 0.016)],
)
def test_crops_are_changed_as_far_as_the_config_says_and_no_further(
    change: dict[str, float], most: float
) -> None:
    changed = Augmentation(**({"shift": 0.0, "stretch": 0.0, "turn": 0.0, "negatives": 0.0} | change))
    # Pictures of their own coordinates: a change shows as how far each value lies from its place.
    side = torch.arange(80.0)
    stored = torch.stack(torch.meshgrid(side, side, indexing="ij")).expand(300, -1, -1, -1)
    grid_of = changed._theta(64 / 80, Draws(0, 3, torch.arange(300).numpy()))
    read = sample(stored, Affine()(grid_of, (64, 64)), padding="border")
    off = (read - middle(stored, 64)).abs().flatten(1).amax(1)
    assert off.max() <= most + 1e-3
    assert off.max() > 0.8 * most


def test_as_many_as_said_are_turned_into_their_negatives() -> None:
    stored = torch.randint(0, 256, (200, 3, 80, 80), dtype=torch.uint8)
    draws = Draws(0, 0, torch.arange(200).numpy())
    plain, some = STILL(stored, 64, draws), Augmentation(0.0, 0.0, 0.0, 0.5)(stored, 64, draws)
    turned = (some == -plain).flatten(1).all(1)
    assert torch.equal(turned | (some == plain).flatten(1).all(1), torch.ones(200, dtype=torch.bool))
    assert 70 < int(turned.sum()) < 130


def test_training_crops_depend_on_seed_epoch_and_index_alone(data: Path) -> None:
    batches = load(small(data)).training()
    first, again = batches(0, 1, 0, 1).tensors, batches(0, 1, 0, 1).tensors
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    halves = [batches(0, 1, part, 2).tensors[0] for part in (0, 1)]
    torch.testing.assert_close(torch.stack(halves, 1).flatten(0, 1), first[0], rtol=0, atol=1e-5)
    assert not torch.equal(first[0], load(small(data, seed=1)).training()(0, 1, 0, 1).tensors[0])


def _learnt(numbers: HouseNumbers) -> set[tuple[int, ...]]:
    return {tuple(row) for source in numbers.learnt for row in source.labels.tolist()}


def test_held_out_crops_are_not_trained_on(data: Path) -> None:
    numbers = load(small(data, validation=10))
    assert (len(numbers), sum(map(len, numbers.learnt))) == (10, 30)
    chosen = {*numbers.learnt[0].places.tolist(), *numbers.held.places.tolist()}
    assert chosen == set(range(40))
    halves = [torch.cat([labels for _, labels in numbers.held_out(part, 2)]) for part in (0, 1)]
    whole = torch.cat([labels for _, labels in numbers.held_out()])
    assert torch.equal(torch.stack(halves, 1).flatten(0, 1), whole)


def test_extra_photographs_are_trained_on_but_for_those_left_out(data: Path) -> None:
    numbers = load(small(data, extra="more", extra_after=8))
    assert [len(source) for source in numbers.learnt] == [40, 4]
    assert numbers.learnt[1].crops.numbers[numbers.learnt[1].places].tolist() == [9, 10, 11, 12]
    assert numbers.origin.startswith("svhn (40 train, 10 more, 12 test), sha256 ")
    assert numbers.origin != load(small(data)).origin
    batches = numbers.training()
    drawn = torch.cat([batches(0, k, 0, 1).tensors[1] for k in range(batches.per_epoch)])
    assert {tuple(row) for row in drawn.tolist()} <= _learnt(numbers)


def test_a_crop_is_trained_on_with_its_own_label(data: Path) -> None:
    still = {"shift": 0.0, "stretch": 0.0, "turn": 0.0, "negatives": 0.0}
    numbers = load(small(data, extra="more", **still))
    batches = numbers.training()
    places = torch.tensor([45, 3, 0, 49])
    pictures, labels = batches.samples(places, 0)
    train, more = (source.crops for source in numbers.learnt)
    for picture, label, place in zip(pictures, labels, places.tolist(), strict=True):
        crops, index = (train, place) if place < 40 else (more, place - 40)
        stored = torch.from_numpy(crops.images[index : index + 1].copy())
        torch.testing.assert_close(picture, normalised(middle(stored, 64))[0], rtol=0, atol=1e-5)
        assert torch.equal(label, crops.labels[index])


def test_errors_by_length_make_up_the_error(data: Path) -> None:
    numbers, model = load(small(data)), build_model(small())
    assert RECIPE.measure is not None
    judged, found = score(numbers, model), RECIPE.measure(numbers, model.eval())["by_length"]
    assert sum(each["count"] for each in found.values()) == judged["count"] == 12
    mistakes = sum(each["count"] * each["error"] for each in found.values())
    assert mistakes / 12 == pytest.approx(judged["error"])
