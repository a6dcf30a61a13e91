"""Co-localisation: its loss, boxes and search against other people's, and a whole small run."""

from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from torchstn import sample, transform
from torchstn.data import Cluttered, load_mnist
from torchstn.recipes.co_localisation import Config, locate, optimise, train
from torchstn.recipes.co_localisation import encoder as encoder_module
from torchstn.recipes.co_localisation.data import draw_images
from torchstn.recipes.co_localisation.descriptor import Activations, Descriptor
from torchstn.recipes.co_localisation.encoder import ensure_encoder
from torchstn.recipes.co_localisation.localiser import boxes_of, overlap
from torchstn.recipes.co_localisation.loss import triplet_loss
from torchstn.recipes.co_localisation.paper import paper_share
from torchstn.recipes.co_localisation.patches import Patches, cut_patches, prefers, search
from torchstn.recipes.digits import split
from torchstn.recipes.distorted_mnist import make_config
from torchstn.recipes.record import command, result_path
from torchstn.recipes.supervised import train as train_classifier
from torchstn.recipes.training_config import load_preset
from torchstn.training import Run


def squared(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    return (left - right).square().sum(-1)


def by_torch(crops: torch.Tensor, partners: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
    """The same loss, pair by pair, by PyTorch's own triplet loss."""
    pairs = [(n, m) for n in range(len(crops)) for m in range(len(crops)) if n != m]
    first, second = (torch.tensor(side) for side in zip(*pairs, strict=True))
    return F.triplet_margin_with_distance_loss(
        crops[first], partners[second], patches[first], distance_function=squared, margin=1.0
    )


@pytest.mark.parametrize("held", [False, True])
def test_the_loss_is_torchs_triplet_loss_over_all_pairs(seed: int, held: bool) -> None:
    crops = torch.randn(6, 5, dtype=torch.float64, requires_grad=True)
    patches = torch.randn(6, 5, dtype=torch.float64)
    ours = triplet_loss(crops, patches, held=held).mean()
    theirs = by_torch(crops, crops.detach() if held else crops, patches)
    torch.testing.assert_close(ours, theirs)
    gradients = [torch.autograd.grad(loss, crops)[0] for loss in (ours, theirs)]
    torch.testing.assert_close(*gradients)


def test_a_window_on_whole_pixels_cuts_out_its_box(seed: int) -> None:
    picture = torch.rand(1, 1, 84, 84)
    x0, y0 = 13, 51
    middle = torch.tensor([x0, y0]) + 13.5  # between the centres of the corner pixels
    theta = torch.cat((torch.tensor([27 / 83]), middle / 83 * 2 - 1))[None]
    assert boxes_of(theta, 84, 28).tolist()[0] == pytest.approx([x0, y0, x0 + 28, y0 + 28], abs=1e-4)
    grid = transform.Attention()(theta, (28, 28), input_size=(84, 84), align_corners=True)
    torch.testing.assert_close(sample(picture, grid)[0, 0], picture[0, 0, y0 : y0 + 28, x0 : x0 + 28])


def test_overlap_is_counted_pixel_by_pixel() -> None:
    random = np.random.default_rng(0)
    corners = random.integers(0, 20, (50, 2, 2))
    boxes = np.concatenate((corners, corners + random.integers(1, 20, (50, 2, 2))), 2)
    masks = np.zeros((50, 2, 40, 40), dtype=bool)
    for (n, k), _ in np.ndenumerate(boxes[..., 0]):
        x0, y0, x1, y1 = boxes[n, k]
        masks[n, k, y0:y1, x0:x1] = True
    counted = (masks[:, 0] & masks[:, 1]).sum((1, 2)) / (masks[:, 0] | masks[:, 1]).sum((1, 2))
    left, right = torch.from_numpy(boxes).float().unbind(1)
    np.testing.assert_allclose(overlap(left, right).numpy(), counted, rtol=1e-6)


def test_patches_lie_anywhere_fully_inside() -> None:
    """Where a column number is the picture, a patch shows which columns it has."""
    columns = torch.arange(84.0).expand(1, 1, 84, 84)
    patches = cut_patches(columns, lambda crops: crops.flatten(1), count=2000, crop=28, seed=0)
    edges = boxes_of(patches.theta[0], 84, 28)
    assert -1e-3 < edges.min() < 0.5
    assert 83.5 < edges.max() < 84 + 1e-3
    first = patches.descriptors[0].view(-1, 28, 28)[:, 0, 0]
    torch.testing.assert_close(first, (edges[:, 0]), atol=0.51, rtol=0)


def test_the_search_finds_what_all_images_have(seed: int) -> None:
    """A random patch overlaps it by an eighth on the average, the best of sixty by three quarters."""
    texture = (torch.rand(1, 28, 28) * 255).to(torch.uint8).expand(40, -1, -1)
    canvas, places, version = Cluttered(size=(84, 84), pieces=0), torch.arange(40), {"seed": 1, "epoch": 0}
    pictures, truth = canvas(texture, places, **version), canvas.boxes(places, **version).float()
    patches = cut_patches(pictures, lambda x: F.avg_pool2d(x, 4).flatten(1), count=60, crop=28, seed=0)
    found = patches.theta[places, search(patches, rounds=12, seed=1)]
    assert overlap(boxes_of(found, 84, 28), truth).mean() > 0.5


def test_what_is_like_the_others_is_preferred() -> None:
    crops = torch.zeros(4, 3)
    crops[0] = 5
    candidates = torch.tensor([[0.0] * 3, [9.0] * 3, [9.0] * 3, [9.0] * 3])
    negatives = torch.full((4, 3), 2.0)
    assert prefers(candidates, crops, negatives).tolist() == [True, False, False, False]


def test_a_descriptor_weighs_its_layers_alike(seed: int) -> None:
    layers = [torch.nn.Flatten(), torch.nn.Linear(16, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3)]
    pictures = torch.rand(50, 1, 4, 4)
    described = Descriptor(Activations(layers), pictures)(pictures)
    assert described.shape == (50, 6 + 6 + 3)
    for kind in described.split((6, 6, 3), dim=1):
        pairs = (kind[:, None] - kind[None]).square().sum(2)
        assert (pairs.sum() / (50 * 49)).item() == pytest.approx(2, rel=1e-4)


def config(**overrides: Any) -> Config:
    settings = {"images": 8, "batch": 4, "iterations": 24, "warm_up": 2, "patches": 6, "rounds": 2}
    settings |= {"attempts": 2, "threads": 1, "device": "cpu"}
    return Config.make("demo", **(settings | overrides))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "encoder"
    tiny = make_config("none", "cnn", preset="demo", iterations=3, parameters=2000, threads=1, device="cpu")
    train_classifier(tiny, folder, progress=False)
    return folder


@pytest.fixture(scope="module")
def finished(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("runs") / "tc-8"
    return folder, train(config(encoder_dir=str(encoder)), folder, progress=False)


def test_every_preset_makes_a_config() -> None:
    for preset in ("demo", "quick", "paper"):
        made = Config.make(preset)
        assert all(getattr(made, name) == value for name, value in load_preset(Config, preset).items())


def test_the_papers_numbers() -> None:
    shares = {
        one: [paper_share(Config.make(set=one, digit=str(k))) for k in range(10)] for one in ("T", "TC")
    }
    assert shares["T"] == [100] * 10
    assert sum(shares["TC"]) / 10 == pytest.approx(85.8)


def test_images_hold_the_digit_in_the_box_and_clutter_only_in_tc() -> None:
    mnist = load_mnist()
    eights = mnist.test_images[mnist.test_labels == 8] / 255
    for name, cluttered in (("T", False), ("TC", True)):
        pictures, boxes = draw_images(config(set=name), mnist)
        for picture, box in zip(pictures[:, 0], boxes.int().tolist(), strict=True):
            part = picture[box[1] : box[3], box[0] : box[2]]
            assert (part >= eights - 1e-6).flatten(1).all(1).any()
            assert ((picture > 0).sum() > (part > 0).sum()) == cluttered


def test_what_is_held_out_is_seen_neither_by_the_encoder_nor_as_clutter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: dict[Path, Any] = {}
    monkeypatch.setattr(encoder_module, "train_classifier", lambda one, to, **_: trained.update({to: one}))
    for validation in (0, 1000):
        ensure_encoder(config(validation=validation), tmp_path / "run", progress=False)
    assert [(to.name, one.validation) for to, one in trained.items()] == [
        ("encoder-e-mnist-5000-1400", 0),
        ("encoder-e-mnist-5000-1400-validation-1000", 1000),
    ]
    clutter: list[torch.Tensor] = []
    paste = Cluttered.__call__

    def watched(canvas: Cluttered, *digits: Any, **others: Any) -> torch.Tensor:
        clutter.append(others["clutter"])
        return paste(canvas, *digits, **others)

    monkeypatch.setattr(Cluttered, "__call__", watched)
    mnist = load_mnist()
    draw_images(config(validation=1000), mnist)
    assert torch.equal(clutter[0], split(mnist, 1000)[0].images)


def test_more_images_than_digits_are_refused() -> None:
    with pytest.raises(ValueError, match="`images` must be at most 100, the number of digits 8, got 101"):
        draw_images(config(images=101), load_mnist())


def test_the_record_holds_what_a_result_needs(finished: tuple[Path, dict[str, Any]]) -> None:
    _, record = finished
    assert record["cell"] == "tc/digit-8"
    assert record["metric"] == "boxes with IoU > 0.5 (%)"
    assert record["paper"] is None  # of the embedded digits
    assert record["parameters"] == 5947
    assert record["images_seen"] == 2 * 24 * 4
    assert record["products"] == "float32"
    assert result_path(Path("results"), config()) == Path(
        "results/co-localisation/demo/tc/digit-8/seed-0.json"
    )
    assert "--set TC --digit 8 --preset demo --seed 0" in command(config())


def test_a_finished_run_is_located_as_it_was_judged(finished: tuple[Path, dict[str, Any]]) -> None:
    folder, record = finished
    found = locate(folder)
    assert [step for step, _ in found.moments] == [0, 10, 20, 24]
    assert found.crops.shape == (8, 1, 28, 28)
    hit = overlap(found.moments[-1][1], found.images.boxes) > 0.5
    assert 100 * hit.double().mean().item() == pytest.approx(record["value"])


@pytest.mark.parametrize("step", [13, 20], ids=["between two records", "at a record"])
def test_stopped_and_resumed_it_ends_bit_for_bit_the_same(
    encoder: Path,
    finished: tuple[Path, dict[str, Any]],
    step: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = config(encoder_dir=str(encoder), checkpoint_seconds=0.0)
    save, saved = Run.save_checkpoint, []

    def stop(run: Run, checkpoint: Any) -> None:
        save(run, checkpoint)
        saved.append(checkpoint.step)
        if saved.count(step) == 2:  # in the second attempt, as soon as the checkpoint has its name
            raise KeyboardInterrupt

    monkeypatch.setattr(Run, "save_checkpoint", stop)
    with pytest.raises(KeyboardInterrupt):
        train(chosen, tmp_path / "run", progress=False)
    monkeypatch.undo()
    record = train(chosen, tmp_path / "run", resume=True, progress=False)
    folder, whole = finished
    assert record["value"] == whole["value"]
    resumed, straight = (Run(run).load_weights() for run in (tmp_path / "run", folder))
    assert resumed.keys() == straight.keys()
    assert all(torch.equal(resumed[name], straight[name]) for name in straight)


def test_a_run_is_neither_overwritten_nor_resumed_otherwise(finished: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = finished
    with pytest.raises(ValueError, match="already holds a run"):
        train(config(), folder)
    with pytest.raises(ValueError, match="digit was '8', now '3'"):
        train(config(digit="3"), folder, resume=True)


def test_a_run_is_not_resumed_on_other_data(encoder: Path, tmp_path: Path) -> None:
    chosen, folder = config(encoder_dir=str(encoder)), tmp_path / "run"
    Run(folder).start({"recipe": chosen.recipe, **asdict(chosen)}, beginning={"data": "others"})
    with pytest.raises(ValueError, match="on other data: it was others; now it is mnist-5000"):
        train(chosen, folder, resume=True, progress=False)


def test_images_seen_are_those_there_are(encoder: Path, tmp_path: Path) -> None:
    few = config(encoder_dir=str(encoder), images=3, batch=5, iterations=4, warm_up=1, attempts=1)
    assert train(few, tmp_path / "run", progress=False)["images_seen"] == 4 * 3


def test_the_descriptor_goes_where_the_pictures_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As to a GPU: tensors of the device "meta" mix with the CPU's as little as its do."""
    there = SimpleNamespace(device=torch.device("meta"))
    monkeypatch.setattr(optimise, "Accelerator", lambda cpu: there)
    layers = [torch.nn.Conv2d(1, 4, 9), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 400, 10)]
    describe = Descriptor(Activations(layers), torch.rand(10, 1, 28, 28))
    cut: list[Patches] = []

    def stop(patches: Patches, **_: Any) -> None:
        cut.append(patches)
        raise KeyboardInterrupt

    monkeypatch.setattr(optimise, "search", stop)
    with pytest.raises(KeyboardInterrupt):
        optimise.co_localise(torch.rand(4, 1, 84, 84), describe, config(), tmp_path, progress=False)
    assert cut[0].descriptors.device == there.device


def test_an_encoder_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    other = make_config("RTS", "cnn", preset="demo", iterations=2, parameters=2000, threads=1, device="cpu")
    train_classifier(other, tmp_path / "encoder", progress=False)
    with pytest.raises(
        ValueError, match="`encoder_dir` must hold a cnn of distorted-mnist on 28 x 28 pixels"
    ):
        train(config(encoder_dir=str(tmp_path / "encoder")), tmp_path / "run", progress=False)
    assert not Run(tmp_path / "run").exists()
