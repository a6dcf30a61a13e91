"""House numbers: both forms of the annotation, the crops, the store they are read from, the download."""

import hashlib
import io
import shutil
import tarfile
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from support.house_numbers import (
    house,
    houses,
    photograph,
    write_data,
    write_digit_struct,
    write_official,
    write_zip,
)

from torchstn.data.svhn import (
    NOTHING,
    Box,
    House,
    Photographs,
    crop,
    download,
    download_svhn,
    files,
    find_part,
    find_svhn,
    load_crops,
    read_digit_struct,
    read_labels,
)
from torchstn.data.svhn import store as store_module
from torchstn.training.lock import lock_folder

HEAD = "file,digits,boxes\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("svhn"))


def test_the_official_annotation_is_read_zeros_and_single_digits_too(tmp_path: Path) -> None:
    written = [house("1.png", "7"), house("2.png", "100"), house("3.png", "98765", left=3)]
    write_official(tmp_path / "train", written)
    told: list[tuple[int, int]] = []
    with (tmp_path / "train" / "digitStruct.mat").open("rb") as file:
        assert read_digit_struct(file, progress=lambda *done: told.append(done)) == written
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_what_is_no_digit_struct_is_refused() -> None:
    with pytest.raises(ValueError, match=r"digitStruct.mat: this is not the annotation of SVHN"):
        read_digit_struct(io.BytesIO(b"nothing"))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("left", float("nan"), r"2.png: each box must be of numbers up to"),
        ("height", float("inf"), r"2.png: each box must be of numbers up to"),
        ("label", float("nan"), "cannot convert float NaN to integer"),
        ("label", float("inf"), "cannot convert float infinity to integer"),
    ],
)
def test_a_number_that_cannot_be_is_named_with_file_and_photograph(
    field: str, value: float, message: str, tmp_path: Path
) -> None:
    write_digit_struct(tmp_path / "digitStruct.mat", [house(f"{k}.png", "7") for k in (1, 2, 3)])
    with h5py.File(tmp_path / "digitStruct.mat", "r+") as mat:
        mat[f"#refs#/b1/{field}"][...] = value
    with (
        (tmp_path / "digitStruct.mat").open("rb") as file,
        pytest.raises(ValueError, match=f"digitStruct.mat, photograph 2: {message}"),
    ):
        read_digit_struct(file)


def test_a_csv_gives_digits_as_text_and_boxes_as_numbers() -> None:
    text = "file,width,digits,boxes_left:top:width:height\n1.jpg,9,042,1:2:3:4|5.5:2:3:4|9:2:3:4\n"
    boxes = (Box(1, 2, 3, 4), Box(5.5, 2, 3, 4), Box(9, 2, 3, 4))
    assert read_labels(io.StringIO(text)) == [House("1.jpg", (0, 4, 2), boxes)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,digits\n", "must have the columns file, digits and boxes, got file, digits"),
        (HEAD + "1.jpg,4,1:2:3\n", "line 2: each box must be left:top:width:height, got '1:2:3'"),
        (HEAD + "1.jpg,4,1:2:3:4\n2.jpg,12,1:2:3:4\n", "line 3: 2.jpg has 2 digits and 1 boxes"),
        (HEAD + "1.jpg,4,1:2:0:4\n", "line 2: 1.jpg: each box must have an extent"),
        (HEAD + "1.jpg,4,5:2:1e-20:4\n", "line 2: 1.jpg: each box must have an extent"),
        (HEAD + "1.jpg,4,nan:2:3:4\n", "line 2: 1.jpg: each box must be of numbers up to 50000000"),
        (HEAD + "1.jpg,4,1:2:inf:4\n", "line 2: 1.jpg: each box must be of numbers up to"),
        (HEAD + "1.jpg,4,1:-1e30:3:4\n", "line 2: 1.jpg: each box must be of numbers up to"),
        (HEAD + "1.jpg,4," + "9" * 200_000 + "\n", "labels.csv: this is not a CSV in UTF-8 .*limit"),
        (HEAD + "1.jpg,x,1:2:3:4\n", "line 2: invalid literal"),
        (HEAD + "1.jpg\n", "line 2: "),
    ],
)
def test_a_csv_that_is_wrong_is_refused_by_line(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_labels(io.StringIO(text))


def test_a_crop_of_whole_pixels_is_the_mean_of_blocks() -> None:
    picture = torch.randint(0, 256, (3, 70, 90), dtype=torch.uint8)
    made = crop(picture, Box(25, 19, 32, 32), enlarge=1.25, side=10)  # 40 x 40 pixels from (21, 15)
    blocks = picture[:, 15:55, 21:61].double().reshape(3, 10, 4, 10, 4).mean((2, 4))
    assert made.shape == (3, 10, 10)
    assert (made - blocks).abs().max() <= 0.5 + 1e-3  # rounded


def test_a_crop_agrees_with_pillow_on_a_photograph() -> None:
    one = house("1.png", "58")
    smooth = photograph(one).resize((260, 200), Image.Resampling.BICUBIC)
    around, enlarge, side = Box(60, 50, 120, 80), 1.3, 64
    made = crop(torch.from_numpy(np.array(smooth)).permute(2, 0, 1), around, enlarge, side)
    w, h = around.width * enlarge, around.height * enlarge
    left, top = around.left + around.width / 2 - w / 2, around.top + around.height / 2 - h / 2
    theirs = smooth.resize((side, side), Image.Resampling.BOX, box=(left, top, left + w, top + h))
    difference = made.permute(1, 2, 0).numpy().astype(float) - np.asarray(theirs, dtype=float)
    assert abs(difference).mean() < 3  # of 255
    other = crop(torch.from_numpy(np.array(smooth)).permute(2, 0, 1), around._replace(left=62), enlarge, side)
    assert abs(other.permute(1, 2, 0).numpy() - np.asarray(theirs, dtype=float)).mean() > 6


def test_outside_the_photograph_a_crop_goes_on_with_its_border() -> None:
    picture = torch.randint(0, 256, (3, 20, 20), dtype=torch.uint8)
    made = crop(picture, Box(0, 0, 20, 20), enlarge=2.0, side=40)
    padded = np.pad(picture.numpy(), ((0, 0), (10, 10), (10, 10)), mode="edge")
    np.testing.assert_array_equal(made.numpy(), padded)


def test_official_folder_and_zip_give_the_same_crops(tmp_path: Path) -> None:
    some = houses(6)
    official, zipped = write_official(tmp_path / "train", some), write_zip(tmp_path / "train.zip", some)
    one, two = (
        load_crops(path, side=16, enlarge=1.5, store=tmp_path / "store") for path in (official, zipped)
    )
    assert one.images.shape == (6, 3, 16, 16)
    np.testing.assert_array_equal(one.images, two.images)
    assert one.sha256 == two.sha256
    for row, labelled in zip(one.labels.tolist(), some, strict=True):
        assert row == [*labelled.digits, *[NOTHING] * (5 - len(labelled.digits))]
    assert one.numbers.tolist() == [1, 2, 3, 4, 5, 6]


def test_numbers_of_six_digits_are_left_out_and_counted(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "train.zip", [house("1.png", "123456"), house("2.png", "4")])
    crops = load_crops(path, side=8, enlarge=1.0, store=tmp_path / "store")
    assert (len(crops), crops.left_out, crops.numbers.tolist()) == (1, 1, [2])


def test_crops_are_cut_out_once_and_anew_when_the_photographs_change(tmp_path: Path) -> None:
    path, told = write_zip(tmp_path / "train.zip", houses(3)), []

    def load() -> store_module.Crops:
        return load_crops(
            path, side=8, enlarge=1.0, store=tmp_path / "store", progress=lambda *done: told.append(done)
        )

    first, again = load(), load()
    assert told == [(f"Cutting the house numbers out of {path.name}", k, 3) for k in (1, 2, 3)]
    assert isinstance(again.images, np.memmap)
    np.testing.assert_array_equal(first.images, again.images)
    write_zip(path, houses(4))
    assert len(load()) == 4


def test_a_second_process_waits_for_the_first_and_takes_what_it_cut_out(tmp_path: Path) -> None:
    path, store = write_zip(tmp_path / "train.zip", houses(3)), tmp_path / "store"
    found: list[store_module.Crops] = []
    with lock_folder(store):
        waiting = threading.Thread(
            target=lambda: found.append(load_crops(path, side=8, enlarge=1.0, store=store))
        )
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    waiting.join(20)
    assert len(found[0]) == 3


@pytest.mark.parametrize("name", ["about.json", "images.npy", "labels.npy", "numbers.npy"])
def test_damaged_crops_are_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    path, store = write_zip(tmp_path / "train.zip", houses(3)), tmp_path / "store"
    load_crops(path, side=8, enlarge=1.0, store=store)
    (found,) = store.glob(f"*/{name}")
    found.write_bytes(b"")
    with pytest.raises(ValueError, match=rf"{found.parent}: it is damaged .*delete it, and it is made anew"):
        load_crops(path, side=8, enlarge=1.0, store=store)


def test_a_photograph_that_is_missing_is_named_and_no_crops_are_left(tmp_path: Path) -> None:
    folder = write_official(tmp_path / "train", houses(3))
    (folder / "2.png").unlink()
    with pytest.raises(ValueError, match=r"train: there is no 2.png in it"):
        load_crops(folder, side=8, enlarge=1.0, store=tmp_path / "store")
    assert [path.name for path in (tmp_path / "store").iterdir()] == [".lock"]


def test_an_annotation_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes((HEAD + "\xe9.png,1,0:0:1:1\n").encode("latin-1"))
    with (
        Photographs(tmp_path) as photographs,
        pytest.raises(ValueError, match=rf"{tmp_path}: labels.csv: this is not a CSV in UTF-8"),
    ):
        photographs.houses()


@pytest.mark.parametrize("name", ["labels.csv", "digitStruct.mat"])
def test_an_annotation_that_is_damaged_within_its_zip_is_named(name: str, tmp_path: Path) -> None:
    write_digit_struct(tmp_path / "digitStruct.mat", houses(1))
    content = {
        "labels.csv": HEAD.encode() * 50,
        "digitStruct.mat": (tmp_path / "digitStruct.mat").read_bytes(),
    }
    with zipfile.ZipFile(tmp_path / "train.zip", "w") as made:
        made.writestr(name, content[name])
    path = tmp_path / "train.zip"
    path.write_bytes(path.read_bytes().replace(content[name], b"\0" * len(content[name])))
    with Photographs(path) as photographs, pytest.raises(ValueError, match=rf"train.zip: {name}"):
        photographs.houses()


def test_a_folder_without_annotation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must hold one of digitStruct.mat and labels.csv"):
        Photographs(tmp_path)


def test_parts_are_found_in_their_usual_places(data: Path, tmp_path: Path) -> None:
    assert find_part(data, "train") == data / "train"
    assert find_part(data, "test") == data / "full_test_12.zip"
    (tmp_path / "svhn").symlink_to(data)
    assert find_svhn(tmp_path) == tmp_path
    with pytest.raises(ValueError, match=r"must hold the photographs of extra.*data get svhn"):
        find_part(data, "extra")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A small train.tar.gz, which download_file is made to find."""
    folder = write_official(tmp_path / "made" / "train", houses(2))
    packed = tmp_path / "train.tar.gz"
    with tarfile.open(packed, "w:gz") as made:
        made.add(folder, "train")
    content = packed.read_bytes()
    known = replace(files.ARCHIVES["train"], size=len(content), md5=hashlib.md5(content).hexdigest())
    monkeypatch.setitem(files.ARCHIVES, "train", known)

    def fetch(urls: list[str], target: Path, *, size: int, md5: str, **_: object) -> None:
        assert (urls, size, md5) == ([files.MIRRORS[0] + "train.tar.gz"], known.size, known.md5)
        target.write_bytes(content)

    monkeypatch.setattr(download, "download_file", fetch)
    return content


@pytest.mark.usefixtures("archive")
def test_an_archive_is_unpacked_and_removed_and_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    folder = download_svhn(tmp_path / "got", ("train",), lambda name, *_: told.append(name))
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "train"]
    with Photographs(find_part(folder, "train")) as photographs:
        assert len(photographs.houses()) == 2
    assert set(told) == {"unpacking train"}
    monkeypatch.setattr(download, "download_file", None)
    download_svhn(folder, ("train",))


@pytest.mark.usefixtures("archive")
def test_a_download_goes_on_whenever_the_last_one_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / "got"
    for name in ("rename", "unlink"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, name, killed)
            patch.setattr(shutil, "rmtree", lambda *_, **__: None)
            with pytest.raises(KeyboardInterrupt):
                download_svhn(folder, ("train",))
        download_svhn(folder, ("train",))
        assert {path.name for path in folder.iterdir()} - {"train.tar.gz"} == {".lock", "train"}
        shutil.rmtree(folder / "train")


def test_a_part_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`parts` must be of train, test, extra, got 'all'"):
        download_svhn(tmp_path, ("all",))
