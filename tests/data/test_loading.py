"""Batches of squares, read by several threads."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from support.picture_folders import draw_folder

from torchstn.data.canvas import read_canvas
from torchstn.data.loading import Canvases
from torchstn.data.picture_folder import list_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = draw_folder(tmp_path_factory.mktemp("pictures"), 5)
    (folder / "rot" / "02.jpg").write_bytes(b"broken")
    return folder


@pytest.mark.parametrize("keep", [0, 4 * 3 * 32 * 32, 10**9])
def test_batch_is_what_one_by_one_gives_however_many_are_kept(folder: Path, keep: int) -> None:
    files = list_files(folder)
    canvases = Canvases(folder, files, 32, workers=3, keep=keep)
    places = [4, 0, 7, 4]
    for _ in range(2):
        pictures, frames = canvases.read(places)
        assert pictures.is_contiguous(memory_format=torch.channels_last)
        for picture, frame, place in zip(pictures, frames, places, strict=True):
            expected, where = read_canvas(folder / files[place], 32)
            assert torch.equal(picture, expected)
            assert frame == where


@pytest.mark.parametrize("fit", ["whole", "crop"])
def test_canvases_are_fitted_and_filled_as_asked(fit: str, folder: Path) -> None:
    canvases = Canvases(folder, ["rot/00.png", "rot/01.jpg"], 32, fit=fit, fill=(9, 99, 199))
    for picture, file in zip(canvases.read([0, 1])[0], canvases.files, strict=True):
        assert torch.equal(picture, read_canvas(folder / file, 32, fit=fit, fill=(9, 99, 199))[0])


def test_kept_pictures_are_not_decoded_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canvases = Canvases(folder, list_files(folder)[:4], 32)
    first = canvases.read([0, 1])[0]
    monkeypatch.setattr("torchstn.data.loading.read_canvas", None)
    assert torch.equal(canvases.read([1, 0])[0], first.flip(0))
    with pytest.raises(TypeError):
        canvases.read([2])


def test_broken_ones_are_found_named_and_left_out(folder: Path) -> None:
    files, told = list_files(folder), list[tuple[int, int]]()
    canvases = Canvases(folder, files, 32)
    broken = canvases.find_broken(lambda done, total: told.append((done, total)))
    place = files.index("rot/02.jpg")
    assert list(broken) == [place]
    assert "rot/02.jpg: not a picture" in broken[place]
    assert told[-1] == (16, 16)
    rest = canvases.without(broken)
    assert len(rest) == 15
    assert rest.files == tuple(file for file in files if file != "rot/02.jpg")
    for k in (place - 1, place):
        assert torch.equal(rest.read([k])[0][0], read_canvas(folder / rest.files[k], 32)[0])


def test_stream_goes_through_all_and_says_what_is_broken(folder: Path) -> None:
    files = list_files(folder)
    seen = [
        (place, one)
        for places, found in Canvases(folder, files, 32).stream(4)
        for place, one in zip(places, found, strict=True)
    ]
    assert [place for place, _ in seen] == list(range(16))
    refused = [files[place] for place, one in seen if isinstance(one, str)]
    assert refused == ["rot/02.jpg"]


def test_a_picture_that_breaks_later_is_named(folder: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "p.png")
    canvases = Canvases(tmp_path, ["p.png"], 32, keep=0)
    assert canvases.find_broken() == {}
    (tmp_path / "p.png").unlink()
    with pytest.raises(ValueError, match=r"p\.png: there is no such file"):
        canvases.read([0])
