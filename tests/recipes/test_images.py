"""A user's own pictures: split, models at every place, where they look, early stopping."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from support.picture_folders import CLASSES, COLOURS, draw_folder, make

from torchstn import SpatialTransformer, parameter_groups
from torchstn.data.canvas import frame_of
from torchstn.grid import MatrixGrid
from torchstn.recipes.images import Pictures, build_model
from torchstn.recipes.images.data import split
from torchstn.recipes.images.families import FAMILIES, UNSCALED, starts
from torchstn.recipes.images.looking import corners, crops_of, look, outlines
from torchstn.recipes.images.model import shrink
from torchstn.recipes.images.using import Answer, Refusal, answers, described, straightened
from torchstn.recipes.record import command
from torchstn.recipes.supervised import train
from torchstn.training import Run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("own") / "farben", 6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"transform": "shear"}, "`transform` must be one of affine, attention"),
        ({"backbone": "resnet50"}, "`backbone` must be one of small, efficientnet-lite0, timm:NAME"),
        ({"at": "image,,block1"}, "`at` must name image or layers"),
        ({"at": "block1", "transformers": 2}, "`transformers` counts those at the image"),
        ({"crop": 64}, "`crop` must be 0 or from 32 to `size`, 32, got 64"),
        ({"validation": 100}, "`validation` must leave images to train on"),
        ({"size": 31}, "`size` must be at least 32"),
        ({"weights": "imagenet", "backbone": "small"}, "`weights` must be one of none, got 'imagenet'"),
        ({"dropout": 1.0}, "`dropout` must be less than 1"),
        ({"zoom": 1.5}, "`zoom` must be at most 1, .*; got 1.5 with affine at image"),
        ({"zoom": 0.5, "transform": "tps"}, "of a family other than free-form, rigid, tps; got 0.5 with tps"),
        ({"zoom": 0.5, "at": "block1"}, "for transformers at the image, .* got 0.5 with affine at block1"),
    ],
)
def test_wrong_choices_are_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**wrong)


def test_command_makes_the_training_again() -> None:
    config = make(data_dir="/somewhere/my birds", transformers=4, transform="attention", seed=3)
    assert command(config).startswith(
        "torchstn train images --transform attention --preset scratch --seed 3 DATA"
    )
    assert "--transformers 4" in command(config)
    assert config.title == "images-my birds-small-4xattention"


def test_epochs_become_iterations() -> None:
    config = make(epochs=7)
    assert config.for_epochs_of(10).iterations == 70
    assert config.for_epochs_of(10).warm_up == 7
    assert make(iterations=9).for_epochs_of(10).iterations == 9


def test_split_takes_a_share_of_every_class_and_stays_when_files_are_added() -> None:
    files = [
        f"{label}/{k}.png"
        for label, count in (("a", 50), ("b", 10), ("c", 2), ("d", 1))
        for k in range(count)
    ]
    labels = [file[0] for file in files]
    learnt, held = split(files, labels, 20)
    assert sorted([*learnt.tolist(), *held.tolist()]) == list(range(len(files)))
    counts = [sum(labels[k] == label for k in held.tolist()) for label in "abcd"]
    assert counts == [10, 2, 1, 0]
    more = [*files, "a/50.png", "b/10.png"]
    again = {more[k] for k in split(more, [file[0] for file in more], 20)[1].tolist()}
    assert len(again & {files[k] for k in held.tolist()}) >= len(held) - 2


def test_classes_weigh_the_same_if_asked(folder: Path, tmp_path: Path) -> None:
    draw_folder(tmp_path / "uneven", 6)
    for path in sorted((tmp_path / "uneven" / "rot").iterdir())[2:]:
        path.unlink()
    even = Pictures.load(make(data_dir=str(tmp_path / "uneven"), balance="classes", validation=1))
    weights = even.weights[even.labels[even.learnt]]
    sums = torch.zeros(3).index_add(0, even.labels[even.learnt], weights)
    torch.testing.assert_close(sums, torch.full((3,), float(len(even.learnt)) / 3))
    assert torch.equal(Pictures.load(make(data_dir=str(folder))).weights, torch.ones(3))


def test_broken_files_and_lost_classes_are_told_by_name(folder: Path, tmp_path: Path) -> None:
    draw_folder(tmp_path / "own", 3)
    (tmp_path / "own" / "rot" / "notes.txt").write_text("hello")
    (tmp_path / "own" / "broken").mkdir()
    (tmp_path / "own" / "broken" / "x.png").write_bytes(b"")
    (tmp_path / "own" / "empty").mkdir()
    told: list[str] = []
    pictures = Pictures.load(make(data_dir=str(tmp_path / "own")), told.append)
    assert pictures.classes == CLASSES
    assert sorted(pictures.skipped) == ["broken/x.png", "rot/notes.txt"]
    assert [line.removeprefix("Skipped ") for line in told][2:] == [
        "the class broken: there is no image in it that can be read.",
        "the class empty: there is no image in it that can be read.",
    ]


def test_a_class_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    draw_folder(tmp_path, 2)
    try:
        (tmp_path / "rot").rename(tmp_path / os.fsdecode(b"th\xe9"))
    except OSError:
        pytest.skip("this file system has no such names")
    with pytest.raises(ValueError, match=r"must name its classes in UTF-8, got 'th\\udce9'; rename"):
        Pictures.load(make(data_dir=str(tmp_path)))


def test_images_seen_are_those_of_a_batch_cut_to_the_data(folder: Path, tmp_path: Path) -> None:
    config = make(data_dir=str(folder), transform="none", epochs=2, batch=64, device="cpu")
    assert train(config, tmp_path / "run", progress=False)["images_seen"] == 2 * 15


@pytest.mark.parametrize("labels", [["rot"], []])
def test_one_class_or_none_is_refused(labels: list[str], folder: Path, tmp_path: Path) -> None:
    for label in labels:
        (tmp_path / label).symlink_to(folder / label)
        (tmp_path / label / "x.png").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "text.png").write_text("no picture")
    if labels:
        (tmp_path / "rot").unlink()
        (tmp_path / "rot").mkdir()
        Image.new("RGB", (40, 40)).save(tmp_path / "rot" / "1.png")
    with pytest.raises(ValueError, match=r"images of at least two classes.*other/text\.png: not a picture"):
        Pictures.load(make(data_dir=str(tmp_path)))


def test_two_pictures_of_two_classes_cannot_be_split(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        Image.new("RGB", (40, 40)).save(tmp_path / label / "1.png")
    with pytest.raises(ValueError, match="at least two images of some class"):
        Pictures.load(make(data_dir=str(tmp_path)))


def test_table_of_labels_takes_the_place_of_subfolders(folder: Path, tmp_path: Path) -> None:
    rows = [
        f"{label}/{number:02d}.png,{'warm' if label == 'rot' else 'kalt'}"
        for label in COLOURS
        for number in (0, 5)
    ]
    (tmp_path / "t.csv").write_text("\n".join(["file,label", *rows, "gone.png,warm"]), encoding="utf-8")
    pictures = Pictures.load(make(data_dir=str(folder), labels=str(tmp_path / "t.csv")))
    assert pictures.classes == ("kalt", "warm")
    assert list(pictures.skipped) == ["gone.png"]
    assert len(pictures.labels) == 6


def test_training_batches_depend_on_nothing_but_their_address(folder: Path) -> None:
    config = make(data_dir=str(folder), augment="strong")
    first, second = (Pictures.load(config).training() for _ in range(2))
    second(0, 0, 0, 1)
    whole = first(3, 1, 0, 1).tensors
    parts = [second(3, 1, part, 2).tensors for part in range(2)]
    for value, shares in zip(whole, zip(*parts, strict=True), strict=True):
        assert torch.equal(value[0::2], shares[0])
        assert torch.equal(value[1::2], shares[1])
    assert not torch.equal(first(4, 1, 0, 1).tensors[0], whole[0])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("count", [1, 2, 4])
def test_every_family_starts_at_its_place(family: str, count: int) -> None:
    model = build_model(make(transform=family, transformers=count), CLASSES).eval()
    seen = look(model, torch.zeros(2, 3, 32, 32, dtype=torch.uint8))
    assert seen.probabilities.shape == (2, 3)
    assert len(seen.grids) == count
    for grid, (scale, (x, y)) in zip(seen.grids, starts(count), strict=True):
        side = 1.0 if family in UNSCALED else scale
        moved = torch.tensor([x, y]) * (family not in UNSCALED)
        box = torch.cat([moved - side, moved + side])
        expected = (box + 1) / 2 * 32
        rim = outlines(grid, 32)[0]
        torch.testing.assert_close(torch.cat([rim.amin(0), rim.amax(0)]), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - set(UNSCALED)))
def test_with_zoom_a_transformer_starts_as_a_crop(family: str) -> None:
    config = make(transform=family, zoom=0.5, size=64, crop=32)
    picture = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    (grid,) = look(build_model(config, CLASSES).eval(), picture).grids
    torch.testing.assert_close(crops_of([grid], picture, 32)[0, 0], picture[0, :, 16:48, 16:48])


def test_a_shared_backbone_learns_from_both_of_its_uses_at_the_full_rate() -> None:
    model = build_model(make(localisation="shared", zoom=0.5, size=64, crop=32), CLASSES)
    groups = {group["name"]: group["params"] for group in parameter_groups(model, 1.0)}
    shared = {id(parameter) for parameter in model.backbone.parameters()}
    assert shared <= {id(parameter) for parameter in groups["rest"]}
    assert not shared & {id(parameter) for parameter in groups["localisation"]}
    pictures = torch.rand(4, 3, 64, 64)
    assert model.transformer is not None
    transformer = model.transformer.transformers[0]
    assert isinstance(transformer, SpatialTransformer)
    torch.nn.init.normal_(transformer.head.weight, std=0.1)
    small = shrink(model.backbone.normalise(pictures), 32)
    theta = transformer.theta(model.backbone(small))
    assert (theta - theta.mean(0)).abs().max() > 1e-3
    theta.sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.backbone.parameters())


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
def test_starts_tile_the_picture(count: int) -> None:
    places = starts(count)
    assert len(set(places)) == count
    covered = torch.zeros(64, 64)
    for scale, (x, y) in places:
        x0, x1, y0, y1 = (round((v + 1) * 32) for v in (x - scale, x + scale, y - scale, y + scale))
        assert min(x0, y0) >= 0
        assert max(x1, y1) <= 64
        covered[y0:y1, x0:x1] = 1
    assert covered.mean() > (0.45 if count == 2 else 0.7)


@pytest.mark.parametrize(("at", "count"), [("block2", 1), ("block1,block3", 2), ("image,block2", 2)])
def test_transformers_are_put_at_layers(at: str, count: int) -> None:
    model = build_model(make(at=at), CLASSES).eval()
    assert sum(isinstance(module, SpatialTransformer) for module in model.modules()) == count
    plain = build_model(make(transform="none"), CLASSES).eval()
    state = {name.replace(".layer.", "."): value for name, value in model.state_dict().items()}
    plain.load_state_dict({name: state[name] for name in plain.state_dict()})
    pictures = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    # An untrained transformer changes nothing, wherever it is.
    torch.testing.assert_close(look(model, pictures).probabilities, look(plain, pictures).probabilities)


def test_unknown_layer_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no layer 'block9' in small; some that there are: block1, block2"):
        build_model(make(at="block9"), CLASSES)


@pytest.mark.parametrize("localisation", ["same", "shared"])
def test_look_multiplies_what_is_on_the_way(localisation: str) -> None:
    """Two views, each warped again in the backbone: the second warp acts within what the first shows."""
    config = make(at="image,block2", transformers=2, transform="attention", localisation=localisation)
    model = build_model(config, CLASSES).eval()
    deep = next(
        m for name, m in model.named_modules() if isinstance(m, SpatialTransformer) and "backbone" in name
    )
    with torch.no_grad():
        deep.head.bias.copy_(torch.tensor([-0.5, 0.25, 0.0]))
    seen = look(model, torch.zeros(3, 3, 32, 32, dtype=torch.uint8))
    theta = deep.transform.constrain(torch.tensor([[-0.5, 0.25, 0.0]]))[0]
    for grid, (scale, (x, y)) in zip(seen.grids, starts(2), strict=True):
        assert grid.batch == 3
        box = outlines(grid, 32)[0].aminmax(dim=0)
        inner, middle = scale * theta[0], torch.tensor([x, y]) + scale * theta[1:]
        torch.testing.assert_close(box.min, (middle - inner + 1) * 16)
        torch.testing.assert_close(box.max, (middle + inner + 1) * 16)


@pytest.mark.parametrize("localisation", ["same", "shared"])
def test_a_model_is_exported_for_any_number_of_pictures(localisation: str) -> None:
    config = make(size=48, crop=32, zoom=0.5, transformers=2, localisation=localisation)
    model = build_model(config, CLASSES).eval()
    program = torch.export.export(
        model, (torch.rand(3, 3, 48, 48),), dynamic_shapes=({0: torch.export.Dim("pictures")},)
    ).module()
    for count in (1, 5):
        pictures = torch.rand(count, 3, 48, 48)
        torch.testing.assert_close(program(pictures), model(pictures), atol=1e-5, rtol=1e-4)


def test_outline_goes_round_the_view_and_corners_lie_on_it() -> None:
    # A turn by 90 degrees: the output's upper left reads the input's upper right.
    grid = MatrixGrid(torch.tensor([[[0.0, -1, 0], [1, 0, 0]]]), size=(8, 8))
    found = corners(outlines(grid, 10))[0]
    torch.testing.assert_close(found, torch.tensor([[10.0, 0], [10, 10], [0, 10], [0, 0]]))


def test_transformers_see_more_than_they_pass_on() -> None:
    """With `crop` below `size` they cut from the finer picture."""
    model = build_model(make(size=64, crop=32), CLASSES).eval()
    finer = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    shapes: list[tuple[int, ...]] = []
    model.backbone.register_forward_hook(lambda _, inputs, output: shapes.append(tuple(inputs[0].shape)))
    model(finer)
    # Once to say where to look, once to say what is there.
    assert shapes == [(1, 3, 32, 32)] * 2


def test_answers_name_places_in_the_pictures_own_pixels(folder: Path) -> None:
    config = make(transform="attention")
    model = build_model(config, CLASSES).eval()
    files = ["rot/00.png", "nothing.png", "grün/01.jpg"]
    first, second, third = answers(model, config, folder, files)
    assert isinstance(second, Refusal)
    assert "nothing.png: there is no such file" in second.why
    for answer, file in ((first, files[0]), (third, files[2])):
        assert isinstance(answer, Answer)
        with Image.open(folder / file) as picture:
            w, h = picture.size
        row = described(answer, CLASSES, 32)
        assert row["size"] == {"width": w, "height": h}
        assert row["views"][0]["box"] == [0.0, 0.0, w, h]
        side = max(h, w)
        left, top = (w - side) / 2, (h - side) / 2
        expected = [[left, top], [left + side, top], [left + side, top + side], [left, top + side]]
        np.testing.assert_allclose(row["views"][0]["corners"], expected, atol=0.11)
        assert abs(sum(row["probabilities"].values()) - 1) < 1e-5
        assert row["class"] in CLASSES


def test_crops_are_read_from_the_pictures_own_pixels(tmp_path: Path) -> None:
    """A window of 40 pixels of a picture of 400 is cut out at 40 pixels as it is in the file."""
    pixels = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "p.png")
    grid = MatrixGrid(torch.tensor([[[0.1, 0, 0.5], [0, 0.1, -0.5]]]), size=(32, 32))
    answer = Answer("p.png", torch.ones(3) / 3, (grid,), frame_of((400, 400), 32))
    crop = straightened(answer, make(), tmp_path / "p.png", 40)
    assert crop.shape == (1, 3, 40, 40)
    expected = pixels[80:120, 280:320]
    assert np.corrcoef(crop[0].permute(1, 2, 0).flatten(), expected.flatten())[0, 1] > 0.9


def test_crops_of_no_view_are_none() -> None:
    assert crops_of((), torch.zeros(2, 3, 8, 8, dtype=torch.uint8), 4).shape == (2, 0, 3, 4, 4)


def test_training_learns_colours_and_stops_when_it_gets_no_better(tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "own", 10)
    config = make(data_dir=str(folder), epochs=30, patience=5, validation=30)
    record = train(config, tmp_path / "run", progress=False)
    run = Run(tmp_path / "run")
    errors = [line["validation_error"] for line in run.metrics.read()]
    best = min(errors)
    assert best < 30
    assert errors.index(best) == len(errors) - 6  # five more without a better one
    assert len(errors) < 30
    assert record["value"] == pytest.approx(best, abs=1e-3)
    assert record["metric"] == "validation error (%)"
    again = train(config, tmp_path / "run", resume=True, progress=False)
    assert again == record


def test_iterations_of_nought_keep_the_warm_up() -> None:
    assert make(iterations=0).warm_up == 100
    assert make(iterations=50).warm_up == 5
