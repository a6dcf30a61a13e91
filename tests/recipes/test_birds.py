"""The recipe of birds: crops to train on, transformers that tile the picture, what they hold of heads."""

from pathlib import Path
from typing import Any

import pytest
import torch
from support.birds import COLOURS, PARTS, write_official, write_zips
from support.closeness import assert_close
from torch import Tensor, nn

from torchstn import parameter_groups
from torchstn.recipes.backbones import NamedBackbone
from torchstn.recipes.birds import RECIPE, BirdClassifier, Config, build_model
from torchstn.recipes.birds.config import MODELS
from torchstn.recipes.birds.data import Birds, corner_of, find_birds
from torchstn.recipes.birds.model import PartLocalisation
from torchstn.recipes.birds.parts import KINDS, measure, middles, parts_in_pictures, parts_seen
from torchstn.recipes.finished import evaluate, load_run
from torchstn.recipes.supervised import train
from torchstn.recipes.training_config import load_preset

TRANSFORMED = pytest.mark.parametrize("model", ["2xst-cnn", "4xst-cnn"])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_official(tmp_path_factory.mktemp("cub"))


@pytest.fixture(autouse=True)
def data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where photographs are kept once decoded: one folder for all tests."""
    folder = tmp_path_factory.getbasetemp() / "bird-store"
    monkeypatch.setenv("TORCHSTN_DATA", str(folder))
    return folder


def small(data: Path | None = None, **overrides: Any) -> Config:
    settings = {"classes": 3, "backbone": "small", "pixels": "64", "iterations": 4, "warm_up": 0, "batch": 4}
    settings |= {"threads": 1, "device": "cpu", "data_dir": data, "dropout": 0.2}
    return Config.make("demo", **(settings | overrides))


def network(**overrides: Any) -> BirdClassifier:
    return build_model(small(**overrides), ["a", "b", "c"])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("pixels", ["64", "112"])
def test_pictures_to_one_answer_a_class(model: str, pixels: str) -> None:
    classifier = network(model=model, pixels=pixels)
    assert classifier(torch.rand(2, 3, int(pixels), int(pixels))).shape == (2, 3)
    assert len(classifier.transformers) == MODELS[model]
    assert len(classifier.descriptions) == max(MODELS[model], 1)


def test_four_transformers_begin_with_the_quarters_of_the_picture_to_the_bit() -> None:
    classifier = network(model="4xst-cnn", pixels="448").eval()
    pictures = torch.rand(2, 3, 448, 448)
    parts, grids = classifier.transformed(pictures)
    assert len(grids) == 4
    quarters = [pictures[:, :, i : i + 224, j : j + 224] for i in (0, 224) for j in (0, 224)]
    assert torch.equal(parts, torch.cat(quarters, 1))


def test_two_begin_side_by_side() -> None:
    classifier = network(model="2xst-cnn", pixels="448").eval()
    pictures = torch.rand(1, 3, 448, 448)
    left, right = classifier.transformed(pictures)[0].split(3, 1)
    assert torch.equal(left, pictures[:, :, 112:336, :224])
    assert torch.equal(right, pictures[:, :, 112:336, 224:])


def test_a_part_of_448_pixels_is_read_from_all_of_them_but_found_in_half_as_many() -> None:
    classifier = network(model="2xst-cnn", pixels="448").eval()
    shared = classifier.transformers[0].localisation
    seen: list[Tensor] = []
    shared.backbone.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    pictures = torch.rand(1, 3, 448, 448)
    classifier(pictures)
    assert [tuple(one.shape) for one in seen] == [(1, 3, 224, 224)]
    halved = classifier.normalise(pictures).unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5))
    assert_close(seen[0], halved, tolerance=1e-6)


def test_parts_are_found_by_a_backbone_that_does_not_round_sides_up() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3, 8))
    unpadded = NamedBackbone("unpadded", network, ["0"], channels=4, mean=(0.5,) * 3, std=(0.5,) * 3)
    assert PartLocalisation(unpadded, 65)(torch.rand(2, 3, 65, 65)).shape == (2, 128)


@TRANSFORMED
def test_one_network_finds_all_parts_and_each_part_has_its_own_that_describes_it(model: str) -> None:
    classifier = network(model=model)
    assert len({id(transformer.localisation) for transformer in classifier.transformers}) == 1
    weights = [next(each.parameters()) for each in classifier.descriptions]
    assert len({weight.data_ptr() for weight in weights}) == MODELS[model]
    groups = {group["name"]: group for group in parameter_groups(classifier, 0.1, localisation_scale=1e-4)}
    slow = {id(parameter) for parameter in groups["localisation"]["params"]}
    assert slow == {id(parameter) for parameter in classifier.transformer.parameters()}
    assert groups["localisation"]["lr"] == pytest.approx(1e-5)


@TRANSFORMED
def test_every_weight_gets_a_gradient_once_the_parts_move(model: str) -> None:
    classifier = network(model=model)
    for transformer in classifier.transformers:
        torch.nn.init.normal_(transformer.head.weight, std=0.05)
    classifier(torch.rand(4, 3, 64, 64)).logsumexp(1).square().sum().backward()
    for name, parameter in classifier.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("model", MODELS)
def test_training_drops_as_many_features_as_the_config_says(model: str) -> None:
    classifier = network(model=model, dropout=0.35)
    assert [layer.p for layer in classifier.modules() if isinstance(layer, nn.Dropout)] == [0.35]


def test_weights_before_training_are_a_function_of_the_seed() -> None:
    same = [network(seed=seed).classifier.weight for seed in (1, 1, 2)]
    assert torch.equal(same[0], same[1])
    assert not torch.equal(same[0], same[2])


def test_crops_to_train_on_are_squares_of_the_photographs_half_of_them_mirrored(data: Path) -> None:
    birds = Birds.load(small(data, batch=12))
    batches = birds.training()
    assert batches.per_epoch == 1
    mirrored = total = 0
    corners = set()
    for epoch in range(4):
        pictures, labels = batches(epoch, 0, 0, 1).tensors
        assert pictures.shape == (12, 3, 64, 64)
        assert pictures.dtype == torch.float32
        for picture, label in zip(pictures, labels.tolist(), strict=True):
            found = [
                (place, corner, flip)
                for place in birds.learnt.tolist()
                if int(birds.cub.labels[place]) == label
                for corner, flip in whereabouts(birds.photographs[place], picture)
            ]
            assert len(found) == 1
            total, mirrored = total + 1, mirrored + found[0][2]
            corners.add(found[0][1])
    assert 0.3 < mirrored / total < 0.7
    rows, columns = ({corner[axis] for corner in corners} for axis in (0, 1))
    # Of 73 x 97 pixels there are 10 rows and 34 columns where a crop may begin.
    assert len(rows) > 7
    assert len(columns) > 17


def whereabouts(photograph: Tensor, picture: Tensor) -> list[tuple[tuple[int, int], bool]]:
    """Where in a photograph a picture is found, and whether mirrored."""
    pixels = (picture * 255).round().to(torch.uint8).permute(1, 2, 0)
    side, (height, width) = pixels.shape[0], photograph.shape[:2]
    return [
        ((i, j), flip)
        for flip in (False, True)
        for i in range(height - side + 1)
        for j in range(width - side + 1)
        if torch.equal(photograph[i : i + side, j : j + side], pixels.flip(1) if flip else pixels)
    ]


def test_samples_are_a_function_of_seed_epoch_and_place(data: Path) -> None:
    batches = Birds.load(small(data)).training()
    one, two = batches(3, 1, 0, 1).tensors, batches(3, 1, 0, 1).tensors
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(batches(4, 1, 0, 1).tensors[0], one[0])
    shares = [batches(3, 1, part, 2).tensors[0] for part in (0, 1)]
    assert torch.equal(torch.stack(shares, 1).flatten(0, 1), one[0])


def test_what_is_judged_is_the_middle_of_the_official_test_photographs(data: Path) -> None:
    birds = Birds.load(small(data))
    assert len(birds) == 6
    pictures, labels = (torch.cat(parts) for parts in zip(*birds.held_out(), strict=True))
    assert labels.tolist() == [0, 0, 1, 1, 2, 2]
    for place, picture in zip(birds.held.tolist(), pictures, strict=True):
        assert ((4 + 1, (97 - 64) // 2), False) not in whereabouts(birds.photographs[place], picture)
        assert ((5, 17), False) in whereabouts(birds.photographs[place], picture)
    halves = [torch.cat([labels for _, labels in birds.held_out(part, 2)]) for part in (0, 1)]
    assert torch.equal(torch.stack(halves, 1).flatten(), labels)


@pytest.mark.parametrize(("share", "corner"), [(0.0, 0), (0.5, 5), (0.999, 10), (1.0, 10)])
def test_a_crop_stays_in_its_photograph(share: float, corner: int) -> None:
    assert corner_of(74, 64, share) == corner


def test_some_of_the_training_photographs_can_be_kept_back(data: Path) -> None:
    whole, part = Birds.load(small(data)), Birds.load(small(data, validation=3))
    assert sorted([*part.learnt.tolist(), *part.held.tolist()]) == whole.learnt.tolist()
    assert len(part) == 3
    assert len(set(part.cub.labels[part.held].tolist())) == 3


def test_results_say_of_which_photographs_they_are(data: Path, tmp_path: Path) -> None:
    three, two = Birds.load(small(data)), Birds.load(small(data, classes=2))
    assert three.origin.startswith("cub-200-2011, 3 classes, 12 to train, 6 to test, sha256 ")
    assert three.origin[-64:] != two.origin[-64:]
    assert three.classes == ("Red Wren", "Blue Grosbeak", "Green Jay")
    zips = Birds.load(small(write_zips(tmp_path, factor=0.8)))
    assert [tuple(one.shape) for one in zips.photographs] == [(73, 97, 3)] * 18


@pytest.mark.parametrize("pixels", ["64", "112"])
@pytest.mark.parametrize("factor", [None, 0.7])
def test_parts_are_where_the_pictures_show_them(
    pixels: str, factor: float | None, data: Path, tmp_path: Path
) -> None:
    folder = data if factor is None else write_zips(tmp_path, factor=factor)
    birds = Birds.load(small(folder, pixels=pixels))
    points, visible = parts_in_pictures(birds)
    pictures, labels = (torch.cat(parts) for parts in zip(*birds.held_out(), strict=True))
    # Of photographs numbered 3, 6, 9 ...; of odd ones the eye is hidden. The tail lies outside the middle.
    assert visible.tolist() == [[True, True, True, bool(k % 2), False] for k in range(6)]
    for picture, label, places in zip(pictures, labels.tolist(), points, strict=True):
        for part in ("back", "belly"):
            x, y = ((places[PARTS.index(part)] + 1) / 2 * picture.shape[-1]).long().tolist()
            assert colour(picture[:, y, x]) == COLOURS[label]
        x, y = ((places[PARTS.index("beak")] + 1) / 2 * picture.shape[-1]).long().tolist()
        assert colour(picture[:, y, x]) == "yellow"


def colour(pixel: Tensor) -> str:
    red, green, blue = (value > 0.3 for value in pixel.tolist())
    names = {(True, True, False): "yellow", (True, False, False): "red", (False, False, True): "blue"}
    return names.get((red, green, blue), "green")


def test_what_boxes_hold_is_counted_by_hand() -> None:
    points = torch.tensor([[[0.0, 0.0], [0.4, -0.4]], [[0.9, 0.9], [0.5, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    visible = torch.tensor([[True, True], [True, True], [False, False]])
    seen = parts_seen(points, visible, torch.tensor([[0.0, 0.0], [0.2, 0.0], [9.0, 9.0]]), 0.5)
    assert seen.held == pytest.approx(75)
    assert seen.whole == pytest.approx(50)
    # Means of parts (0.2, -0.2) and (0.7, 0.45), in units of half a side.
    distances = (0.08**0.5, (0.5**2 + 0.45**2) ** 0.5)
    assert seen.distance == pytest.approx(50 * sum(distances) / 2, rel=1e-5)


def test_boxes_that_do_not_move_are_on_the_device_of_those_that_do() -> None:
    """What moves is on the CPU when it is judged, and the transformer on its own device: here the reverse."""
    ways = middles(torch.rand(3, 2, device="meta"), torch.zeros(2))
    assert {way: (*middle.shape, middle.device.type) for way, middle in ways.items()} == dict.fromkeys(
        ("moving", "fixed", "start"), (3, 2, "meta")
    )


def test_a_transformer_that_follows_heads_is_told_from_one_that_stays(data: Path) -> None:
    birds, classifier = Birds.load(small(data)), network(model="2xst-cnn").eval()
    report = measure(birds, classifier)["parts"]
    assert [set(kinds) for kinds in report] == [set(KINDS)] * 2
    for kinds in report:  # untrained, it stays where it starts
        assert kinds["body"]["moving"] == kinds["body"]["fixed"] == kinds["body"]["start"]
    with torch.no_grad():
        classifier.transformers[1].head.bias.copy_(torch.tensor([0.3, -0.6]))
    head = measure(birds, classifier)["parts"][1]["head"]
    assert head["moving"] == head["fixed"]
    assert head["moving"]["distance"] != head["start"]["distance"]
    assert measure(birds, network(model="cnn")) == {}


@pytest.mark.parametrize("model", ["cnn", "2xst-cnn"])
def test_a_training_goes_on_to_the_bit_and_its_run_is_judged(model: str, data: Path, tmp_path: Path) -> None:
    config = small(data, model=model)
    record = train(config, tmp_path / "whole", progress=False)
    assert record["metric"] == "test accuracy (%)"
    assert record["paper"] is None
    assert record["cell"] == f"64px/{model}"

    def stop(seen: Any, _: Any) -> None:
        if seen["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "parted", progress=False, listener=stop)
    train(config, tmp_path / "parted", resume=True, progress=False)
    whole, parted = load_run(tmp_path / "whole"), load_run(tmp_path / "parted")
    for (name, one), other in zip(
        whole.model.state_dict().items(), parted.model.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other), name
    judged = evaluate(tmp_path / "whole")
    assert 100 - judged["error"] == pytest.approx(record["value"], abs=1e-3)
    assert len(judged.get("parts", ())) == MODELS[model]


def test_it_learns_to_tell_colours_apart(data: Path, tmp_path: Path) -> None:
    config = small(data, model="cnn", iterations=25, batch=6, learning_rate=0.05)
    assert train(config, tmp_path / "run", progress=False)["value"] > 80


def test_the_papers_numbers_are_of_all_species() -> None:
    papers = {
        f"{pixels}px/{model}": RECIPE.paper(Config.make("paper", pixels=pixels, model=model))
        for pixels in ("224", "448")
        for model in MODELS
    }
    assert {cell: number for cell, number in papers.items() if number is not None} == {
        "224px/cnn": 82.3,
        "224px/2xst-cnn": 83.1,
        "448px/2xst-cnn": 83.9,
        "448px/4xst-cnn": 84.1,
    }
    assert RECIPE.paper(Config.make("quick", pixels="224", model="cnn")) is None


@pytest.mark.parametrize("preset", ["demo", "quick", "paper"])
def test_a_preset_chooses_everything_that_has_no_default(preset: str) -> None:
    assert Config.make(preset).backbone == "efficientnet-lite0"
    assert set(load_preset(Config, preset)) == set(load_preset(Config, "paper"))


def test_refuses_what_does_not_go_together(data: Path, tmp_path: Path) -> None:
    for wrong, said in (
        ({"backbone": "vgg"}, "`backbone` must be one of small, efficientnet-lite0, timm:NAME"),
        ({"dropout": 1.0}, "`dropout` must be less than 1"),
        ({"pixels": "100"}, "`pixels` must be one of 64, 112, 224, 448"),
        ({"model": "st"}, "`model` must be one of cnn, 2xst-cnn, 4xst-cnn"),
    ):
        with pytest.raises(ValueError, match=said):
            small(**wrong)
    with pytest.raises(ValueError, match=r"`classes` must be from 2 to 3, .* got 50"):
        Birds.load(small(data, classes=50))
    with pytest.raises(ValueError, match=r"`torchstn data get cub` downloads it"):
        find_birds(tmp_path, "quick")
    assert find_birds(data, "quick") == data
