"""Pictures decoded once: what is in the store, when it is made anew, what is refused."""

import os
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from torchstn.data import PictureStore, get_data_dir, prepare_pictures

SIZES = ((64, 32), (20, 50), (40, 40))  # width and height
FILES = tuple(f"{k}.png" for k in range(len(SIZES)))


@pytest.fixture
def data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TORCHSTN_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def pictures(tmp_path: Path, data_folder: Path) -> Path:
    """Each with a left half and a right half of other colours."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, (width, height) in zip(FILES, SIZES, strict=True):
        pixels = np.zeros((height, width, 3), dtype=np.uint8)
        pixels[:, : width // 2] = (200, 100, 50)
        Image.fromarray(pixels).save(folder / name)
    return folder


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name in FILES:
            made.write(folder / name, name)
    return path


def stores() -> list[Path]:
    return sorted(path for path in (get_data_dir() / "prepared").iterdir() if path.is_dir())


def test_the_shorter_side_is_as_asked_and_the_other_in_proportion(pictures: Path) -> None:
    store = prepare_pictures("some", pictures, FILES, 16)
    assert len(store) == 3
    assert store.sizes == [(16, 32), (40, 16), (16, 16)]
    for place, (height, width) in enumerate(store.sizes):
        picture = store[place]
        assert picture.shape == (height, width, 3)
        assert picture.dtype == torch.uint8
        # One pixel beside the border of the halves the resampling shows.
        assert picture[:, : width // 2 - 2].flatten(0, 1).unique(dim=0).tolist() == [[200, 100, 50]]
        assert picture[:, width // 2 + 2 :].max() == 0
    assert torch.equal(store[-1], store[2])


def test_nothing_is_decoded_twice(pictures: Path) -> None:
    told: list[tuple[int, int]] = []
    first = prepare_pictures("some", pictures, FILES, 16, lambda *seen: told.append(seen))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    again = prepare_pictures("some", pictures, FILES, 16, lambda *seen: told.append(seen))
    assert len(told) == 4
    assert len(stores()) == 1
    assert first.sha256 == again.sha256
    assert torch.equal(first[1], again[1])


def test_other_sizes_and_changed_files_are(pictures: Path) -> None:
    first = prepare_pictures("some", pictures, FILES, 16)
    prepare_pictures("some", pictures, FILES, 8)
    assert len(stores()) == 2
    Image.new("RGB", (20, 20), "white").save(pictures / FILES[0])
    os.utime(pictures / FILES[0], ns=(1, 1))
    changed = prepare_pictures("some", pictures, FILES, 16)
    assert len(stores()) == 3
    assert changed.sha256 != first.sha256
    assert changed[0].min() == 255


def test_a_zip_gives_what_its_folder_does(pictures: Path, tmp_path: Path) -> None:
    plain = prepare_pictures("some", pictures, FILES, 16)
    packed = prepare_pictures("some", zipped(pictures, tmp_path / "all.zip"), FILES, 16)
    assert packed.sha256 == plain.sha256
    assert all(torch.equal(packed[k], plain[k]) for k in range(3))


def test_a_broken_picture_is_named_and_nothing_is_left(pictures: Path) -> None:
    (pictures / FILES[2]).write_bytes(b"no picture")
    with pytest.raises(ValueError, match=rf"{FILES[2]}: not a picture"):
        prepare_pictures("some", pictures, FILES, 16)
    assert stores() == []


def test_an_interrupted_preparation_leaves_nothing(pictures: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_pictures("some", pictures, FILES, 16, stop)
    assert stores() == []
    assert len(prepare_pictures("some", pictures, FILES, 16)) == 3


def test_of_two_at_once_one_decodes_and_the_other_takes_it(pictures: Path) -> None:
    found: list[PictureStore] = []
    other = threading.Thread(target=lambda: found.append(prepare_pictures("some", pictures, FILES, 16, fail)))

    def fail(done: int, total: int) -> None:
        raise AssertionError

    def meanwhile(done: int, total: int) -> None:
        if done == total:
            other.start()
            other.join(0.3)

    store = prepare_pictures("some", pictures, FILES, 16, meanwhile)
    other.join(20)
    assert found[0].sizes == store.sizes
    assert len(stores()) == 1


@pytest.mark.parametrize("name", ["index.json", "pixels"])
def test_a_damaged_store_is_named_with_what_to_do(pictures: Path, name: str) -> None:
    prepare_pictures("some", pictures, FILES, 16)
    (stores()[0] / name).write_bytes(b"")
    with pytest.raises(ValueError, match=rf"{stores()[0].name}: it is damaged .*delete it, and it is made"):
        prepare_pictures("some", pictures, FILES, 16)
    (stores()[0] / name).unlink()
    with pytest.raises(ValueError, match="it is damaged"):
        prepare_pictures("some", pictures, FILES, 16)
