"""CUB-200-2011 as its archive unpacks, and as zips of some of its species."""

import hashlib
import zipfile
from pathlib import Path

import pytest
import torch
from support.birds import EACH, PARTS, PLACES, SIZE, lists, write_archive, write_official, write_zips

from torchstn.data import DownloadError, download_cub, load_cub
from torchstn.data.cub import find_cub


def test_the_official_data_is_read(tmp_path: Path) -> None:
    cub = load_cub(write_official(tmp_path))
    assert cub.classes == ("Red Wren", "Blue Grosbeak", "Green Jay")
    assert cub.labels.tolist() == [0] * EACH + [1] * EACH + [2] * EACH
    assert cub.learnt.tolist() == [True, True, False] * 6
    assert cub.boxes[4].tolist() == [30, 8, 70, 72]
    assert cub.part_names == PARTS
    assert cub.parts.shape == (18, 5, 3)
    assert cub.parts[1, 1].tolist() == [*PLACES["beak"], 1]
    assert cub.parts[:, 3, 2].tolist() == [0, 1] * 9
    assert cub.sizes().tolist() == [list(SIZE)] * 18
    assert (cub.images / cub.files[0]).is_file()


def test_zips_of_all_species_say_the_same_of_smaller_images(tmp_path: Path) -> None:
    official, zipped = load_cub(write_official(tmp_path / "a")), load_cub(write_zips(tmp_path / "b"))
    for name in ("labels", "learnt", "boxes", "parts"):
        assert torch.equal(getattr(official, name), getattr(zipped, name)), name
    assert torch.equal(official.sizes(), zipped.sizes())
    assert official.files == zipped.files


def test_species_without_images_are_left_out_and_the_others_numbered_anew(tmp_path: Path) -> None:
    cub = load_cub(write_zips(tmp_path, species=(0, 2)))
    assert cub.classes == ("Red Wren", "Green Jay")
    assert cub.labels.tolist() == [0] * EACH + [1] * EACH
    assert cub.files[EACH].startswith("003.Green_Jay/")
    assert cub.sizes().tolist() == [list(SIZE)] * 12


def test_the_first_species_are_picked(tmp_path: Path) -> None:
    cub = load_cub(write_official(tmp_path)).first(2)
    assert cub.classes == ("Red Wren", "Blue Grosbeak")
    assert len(cub) == len(cub.boxes) == len(cub.parts) == len(cub.learnt) == 2 * EACH
    for wrong in (1, 4):
        with pytest.raises(ValueError, match=rf"`classes` must be from 2 to 2, .*got {wrong}"):
            cub.first(wrong)


@pytest.mark.parametrize("where", [".", "CUB_200_2011", "cub", "cub/CUB_200_2011"])
def test_it_is_found_in_its_usual_places(where: str, tmp_path: Path) -> None:
    write_official(tmp_path / where)
    assert find_cub(tmp_path).images.name == "images"


def test_what_is_not_there_is_said_with_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must hold CUB-200-2011, .* `torchstn data get cub` downloads it"):
        load_cub(tmp_path)


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    cub = load_cub(write_official(tmp_path))
    (cub.images / cub.files[7]).unlink()
    with pytest.raises(ValueError, match=rf"lacks {cub.files[7]}, which .* lists"):
        load_cub(tmp_path)


def test_lists_without_any_of_the_images_are_refused(tmp_path: Path) -> None:
    write_zips(tmp_path, species=())
    with pytest.raises(ValueError, match="holds none of the images"):
        load_cub(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("image_class_labels.txt", "1 1\n", r"must have 18 lines of 2 numbers, in order; it is damaged"),
        ("parts/part_locs.txt", "1 1 x y 0\n", r"must have 90 lines of 5 numbers"),
        ("bounding_boxes.txt", "", r"bounding_boxes.txt must have 18 lines of 5 numbers"),
        ("classes.txt", "1 001.Red_Wren\n", r"image_class_labels.txt names a class that classes.txt has not"),
        ("images.txt", "2 a.jpg\n", r"lines of images.txt must be numbered 1, 2, 3"),
        ("train_test_split.txt", lists()["train_test_split.txt"].replace("5 1\n", "4 1\n"), "in order"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*input contained no data:UserWarning")
def test_a_damaged_list_is_named(name: str, text: str, said: str, tmp_path: Path) -> None:
    (write_official(tmp_path) / "CUB_200_2011" / name).write_text(text)
    with pytest.raises(ValueError, match=said):
        load_cub(tmp_path)


@pytest.mark.parametrize("name", ["images.txt", "bounding_boxes.txt"])
def test_a_list_that_is_damaged_within_its_zip_is_named(name: str, tmp_path: Path) -> None:
    write_zips(tmp_path)
    metadata = tmp_path / "CUB_200_2011_metadata.zip"
    metadata.write_bytes(metadata.read_bytes().replace(lists()[name].encode()[:9], b"1 x.png 1"))
    with pytest.raises(ValueError, match=rf"CUB_200_2011_metadata.zip: {name}"):
        load_cub(tmp_path)


def test_a_damaged_list_of_sizes_is_named(tmp_path: Path) -> None:
    write_zips(tmp_path)
    images = tmp_path / "cub3_images_60.zip"
    with zipfile.ZipFile(images) as whole:
        names = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(images, "w") as made:
        for name, content in names.items():
            made.writestr(name, b"file,width\na,3\n" if name == "sizes.csv" else content)
    with pytest.raises(ValueError, match=r"sizes.csv must have the columns file, orig_width and orig_height"):
        load_cub(tmp_path)


def test_an_archive_that_lies_there_is_checked_and_unpacked_once(tmp_path: Path) -> None:
    folder = tmp_path / "cub"
    folder.mkdir()
    archive = write_archive(folder / "CUB_200_2011.tgz", tmp_path / "made")
    told: list[tuple[str, int, int]] = []
    size, sha256 = archive.stat().st_size, hashlib.sha256(archive.read_bytes()).hexdigest()
    found = download_cub(folder, lambda *seen: told.append(seen), urls=(), size=size, sha256=sha256)
    assert len(load_cub(found)) == 18
    assert {name for name, _, _ in told} == {"CUB_200_2011.tgz", "unpacking"}
    archive.unlink()
    assert download_cub(folder, urls=()) == folder


def test_a_folder_that_is_not_whole_is_named_before_anything_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "CUB_200_2011").mkdir()
    with pytest.raises(FileExistsError, match="CUB_200_2011 is there but not whole; delete it"):
        download_cub(tmp_path, urls=())


def test_an_archive_that_is_another_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "CUB_200_2011.tgz").write_bytes(b"something else")
    with pytest.raises(DownloadError, match=r"Could not download CUB_200_2011.tgz"):
        download_cub(tmp_path, urls=())
    assert not (tmp_path / "CUB_200_2011").exists()
