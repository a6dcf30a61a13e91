"""Where a command cannot write it says so before it works, and in the user's words."""

import os
from pathlib import Path

import pytest

from torchstn.cli import training
from torchstn.cli.outputs import check_file, check_folder
from torchstn.cli.plainly import sentence

from .conftest import Call

IN_THE_WAY = "is a file where a folder is needed; name another place."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "in-the-way"
    path.write_text("kept")
    return path


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("train distorted-mnist --preset demo --out {file}", "--out"),
        ("train distorted-mnist --preset demo --out {new} --results {file}", "--results"),
        ("train co-localisation --preset demo --out {file}/run", "--out"),
        ("train co-localisation --preset demo --out {new} --results {file}/below", "--results"),
        ("train images {images} --out {file}", "--out"),
        ("reproduce table-1 --preset demo --results {file}", "--results"),
        ("reproduce table-1 --preset demo --costs --runs {file}", "--runs"),
        ("co-localise {new} --out {file}", "--out"),
        ("demo --out {file}", "--out"),
        ("data show --out {file}/sheet.png", "--out"),
        ("show {run} --out {file}", "--out"),
        ("predict {run} a.png --out {file}/a.png", "--out"),
        ("predict {run} a.png --save {file}/a.json", "--save"),
        ("apply {run} {images} {file}", "OUT"),
        ("export {run} {file}/digits.pt2", "FILE"),
    ],
)
def test_a_file_in_the_way_is_named_before_the_work(
    call: Call, run: Path, tmp_path: Path, file: Path, words: str, option: str
) -> None:
    (tmp_path / "images/class").mkdir(parents=True)
    (tmp_path / "images/class/a.png").touch()
    before = sorted(tmp_path.rglob("*"))
    places = {"file": file, "new": tmp_path / "new", "images": tmp_path / "images", "run": run}
    done = call(*(word.format(**places) for word in words.split()))
    assert done.exit_code == 2
    assert f"Error: {option}: {file} {IN_THE_WAY}" in done.output
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("data show --out {new}.jpg", "--out must end in .png, got {new}.jpg."),
        ("predict {run} a.png --out {new}", "--out must end in .png, got {new}."),
        ("export {run} {new}.h5", "FILE must end in .pt2 or .onnx, got {new}.h5."),
        ("predict {run} a.png --save {folder}", "--save: {folder} is a folder where a file is needed"),
    ],
)
def test_a_file_of_another_kind_is_refused_as_the_user_calls_it(
    call: Call, run: Path, tmp_path: Path, words: str, message: str
) -> None:
    places = {"new": tmp_path / "new", "run": run, "folder": tmp_path}
    done = call(*(word.format(**places) for word in words.split()))
    assert done.exit_code == 2
    assert message.format(**places) in done.output


def test_what_can_be_made_is_not_made_yet(tmp_path: Path) -> None:
    check_folder(tmp_path / "new" / "below")
    check_file(tmp_path / "new" / "a.PNG", endings=(".png",))
    check_folder(Path("new"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ValueError, match=f"--runs: {tmp_path} may not be written to"):
        check_folder(tmp_path / "new", "--runs")


def test_a_path_through_a_file_is_told_as_such(file: Path) -> None:
    for attempt in (file.mkdir, (file / "below").read_text):
        with pytest.raises(OSError, match="in-the-way") as refused:
            attempt()
        assert sentence(refused.value) == f"{file} {IN_THE_WAY}"


def test_a_result_is_printed_even_if_it_cannot_be_kept(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training, "atomic_write", full)
    words = "train distorted-mnist --preset demo --model fcn --iterations 2 --batch 8 --threads 1 --out"
    done = call(*words.split(), tmp_path / "run", "--results", tmp_path / "results")
    assert done.exit_code == 1
    assert "rts/fcn" in done.stdout
    assert "no space left on device" in done.output
