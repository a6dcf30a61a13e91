"""`torchstn train co-localisation` and `torchstn co-localise`: files, refusals, boxes on any image."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from torchstn.cli.images import fit_square
from torchstn.recipes.co_localisation import Optimisation

from .conftest import Call

PNG = b"\x89PNG"
TINY = ("--preset", "demo", "--images", 6, "--batch", 4, "--iterations", 12, "--warm-up", 1)
TINY += ("--patches", 5, "--attempts", 1, "--encoder-iterations", 20, "--threads", 1)


@pytest.fixture(scope="module")
def finished(call: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    words = ("--set", "t", "--digit", 3, "--out", folder / "run", "--results", folder / "results")
    done = call("train", "co-localisation", *TINY, *words)
    assert done.exit_code == 0, done.output
    return folder


def test_training_leaves_a_result_pictures_and_the_encoder(finished: Path) -> None:
    record = json.loads((finished / "results/co-localisation/demo/t/digit-3/seed-0.json").read_text())
    assert record == json.loads((finished / "run/result.json").read_text())
    for name in ("boxes.png", "crops.png"):
        assert (finished / "run/figures" / name).read_bytes().startswith(PNG)
    assert (finished / "encoder-e-mnist-5000-20/model.safetensors").is_file()


def test_show_draws_the_run_again(call: Call, finished: Path, tmp_path: Path) -> None:
    assert call("show", finished / "run", "--out", tmp_path).exit_code == 0
    drawn = (tmp_path / "boxes.png").read_bytes(), (tmp_path / "crops.png").read_bytes()
    assert drawn[1] == (finished / "run/figures/crops.png").read_bytes()
    assert drawn[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--digit", "ten"), "it must be one of 0, 1, 2"),
        (("--set", "RTS"), "it must be one of T, TC"),
        (("--images", 500), "`images` must be at most 100, the number of digits 8, got 500"),
        (("--encoder-dir", "nowhere"), "`nowhere` holds no run"),
    ],
)
def test_a_wrong_value_is_said_in_a_sentence(
    call: Call, words: tuple[object, ...], message: str, tmp_path: Path
) -> None:
    done = call("train", "co-localisation", *TINY, *words, "--out", tmp_path / "run")
    assert done.exit_code == 2
    assert message in done.output
    assert not (tmp_path / "run/config.toml").exists()


SHARED = np.random.default_rng(7).integers(0, 256, (6, 6, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)


def draw(folder: Path, count: int = 14) -> dict[str, list[int]]:
    """Images of several sizes and modes with the same coloured tile on grounds of their own; where it is."""
    random, truth = np.random.default_rng(1), {}
    for k in range(count):
        w, h = random.integers(110, 150, 2).tolist()
        ground = random.normal(random.uniform(60, 190), 12, (h, w, 3)).clip(0, 255).astype(np.uint8)
        x, y = (int(random.integers(0, side - 48)) for side in (w, h))
        ground[y : y + 48, x : x + 48] = SHARED
        image = Image.fromarray(ground)
        name = f"{k:02}.png"
        image.convert(("RGB", "RGBA", "P")[k % 3]).save(folder / name)
        truth[name] = [x, y, x + 48, y + 48]
    return truth


def test_a_shared_tile_is_found_in_a_folder_of_images(call: Call, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    truth = draw(tmp_path / "images")
    (tmp_path / "images/notes.txt").write_text("no picture")
    words = ("--attempts", 2, "--threads", 1, "--out", tmp_path / "found")
    done = call("co-localise", tmp_path / "images", *words)
    assert done.exit_code == 0, done.output
    assert "notes.txt: not a picture" in done.output
    record = json.loads((tmp_path / "found/boxes.json").read_text())
    assert [one["file"] for one in record["skipped"]] == ["notes.txt"]
    assert [one["file"] for one in record["images"]] == sorted(truth)
    hits = 0
    for one in record["images"]:
        (x0, y0, x1, y1), (a0, b0, a1, b1) = one["box"], truth[one["file"]]
        common = max(0, min(x1, a1) - max(x0, a0)) * max(0, min(y1, b1) - max(y0, b0))
        hits += common / ((x1 - x0) * (y1 - y0) + 48 * 48 - common) > 0.4
    assert hits >= 10
    assert (tmp_path / "found/boxes.png").read_bytes().startswith(PNG)


def test_a_shorter_search_warms_up_in_proportion(call: Call, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    draw(tmp_path / "images", 3)
    words = ("--attempts", 1, "--iterations", 2, "--threads", 1, "--out", tmp_path / "found")
    done = call("co-localise", tmp_path / "images", *words)
    assert done.exit_code == 0, done.output
    assert Optimisation.make(iterations=20).warm_up == 2
    assert Optimisation.make(iterations=20, warm_up=7).warm_up == 7
    assert Optimisation.make(iterations=200).warm_up == Optimisation.make().warm_up == 20


@pytest.mark.parametrize("count", [0, 1])
def test_one_image_shares_nothing(call: Call, tmp_path: Path, count: int) -> None:
    draw(tmp_path, count)
    done = call("co-localise", tmp_path)
    assert done.exit_code == 2
    assert f"must hold at least two images that share something; {count} of its {count}" in done.output


def test_images_in_subfolders_are_asked_for_by_their_folder(call: Call, tmp_path: Path) -> None:
    assert "Subfolders" not in call("co-localise", tmp_path).output
    (tmp_path / "below").mkdir()
    draw(tmp_path / "below", 2)
    done = call("co-localise", tmp_path)
    assert done.exit_code == 2
    assert "0 of its 0 files can be read. Subfolders are not searched: name one of them." in done.output


def test_a_file_is_no_folder_and_an_unknown_encoder_none(call: Call, tmp_path: Path) -> None:
    draw(tmp_path, 2)
    assert "this is not a folder" in call("co-localise", tmp_path / "00.png").output
    done = call("co-localise", tmp_path, "--encoder", "vgg", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "`encoder` must be appearance or timm:NAME, got 'vgg'" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("size", [(40, 100), (200, 90), (84, 84)])
def test_a_box_of_the_square_is_told_in_pixels_of_the_image(size: tuple[int, int]) -> None:
    image = torch.zeros(3, *size)
    h, w = size
    y0, x0, y1, x1 = h // 4, w // 5, h // 2, w // 2
    image[:, y0:y1, x0:x1] = 1
    square, frame = fit_square(image)
    rows, columns = (square[0] > 0.5).any(1).nonzero().flatten(), (square[0] > 0.5).any(0).nonzero().flatten()
    box = torch.tensor([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]).float()
    found = frame.to_image(box)
    torch.testing.assert_close(found, torch.tensor([x0, y0, x1, y1]).float(), rtol=0, atol=1 / frame.scale)
    everything = frame.to_image(torch.tensor([-9.0, -9.0, 99.0, 99.0]))
    assert everything.tolist() == [0, 0, w, h]
