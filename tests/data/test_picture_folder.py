"""Files of a folder and their classes."""

from pathlib import Path

import pytest

from torchstn.data.picture_folder import find_labelled, list_files


def _touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_files_are_listed_deep_and_hidden_ones_are_not(tmp_path: Path) -> None:
    _touch(tmp_path, "b/2.png", "a.png", "b/c/ü.jpg", ".DS_Store", "b/.hidden/x.png")
    assert list_files(tmp_path) == ["a.png", "b/2.png", "b/c/ü.jpg"]
    with pytest.raises(ValueError, match="this is not a folder"):
        list_files(tmp_path / "a.png")


def test_class_is_the_first_subfolder(tmp_path: Path) -> None:
    _touch(tmp_path, "cat/1.png", "cat/deep/2.png", "dog/1.png", "readme.txt")
    assert find_labelled(tmp_path) == [("cat/1.png", "cat"), ("cat/deep/2.png", "cat"), ("dog/1.png", "dog")]


def test_folder_without_subfolders_is_refused_with_the_way_out(tmp_path: Path) -> None:
    _touch(tmp_path, "1.png", "2.png")
    with pytest.raises(ValueError, match=r"must hold a subfolder for each class.*--labels CSV"):
        find_labelled(tmp_path)


@pytest.mark.parametrize("header", ["file,label", "Filename,Class", "label,file", "id,path,category"])
def test_table_names_files_and_labels_in_any_columns(header: str, tmp_path: Path) -> None:
    values = {"file": "a/ü 1.png", "label": "cat", "id": "7"}
    names = [
        {"filename": "file", "path": "file", "class": "label", "category": "label"}.get(n, n)
        for n in header.lower().split(",")
    ]
    table = tmp_path / "labels.csv"
    table.write_text(f"\ufeff{header}\n{','.join(values[name] for name in names)}\n", encoding="utf-8")
    assert find_labelled(tmp_path, table) == [("a/ü 1.png", "cat")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,kind\n1.png,cat\n", "its first line must name a column file or filename, got name, kind"),
        ("file,kind\n1.png,cat\n", "its first line must name a column label or class"),
        ("", "its first line must name a column file or filename, got nothing"),
        ("file,label\n1.png,\n", "line 2: a file and a label are needed"),
        ("file,label\n1.png,cat\n1.png,dog\n", "line 3: 1.png has two labels"),
        ("file,label\n1.png\n", "line 2: a file and a label are needed"),
    ],
)
def test_table_that_says_too_little_is_refused(text: str, message: str, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(text)
    with pytest.raises(ValueError, match=message):
        find_labelled(tmp_path, table)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00file")
    with pytest.raises(ValueError, match="this is not a CSV in UTF-8"):
        find_labelled(tmp_path, tmp_path / "labels.csv")
    with pytest.raises(ValueError, match="there is no such file"):
        find_labelled(tmp_path, tmp_path / "nothing.csv")
