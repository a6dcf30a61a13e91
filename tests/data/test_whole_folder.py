"""Folders appear whole or not at all, whoever else makes them, and whatever was killed before."""

import os
import threading
from pathlib import Path

import pytest

from torchstn.data.whole_folder import make_folder
from torchstn.training.lock import lock_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(folder: Path) -> None:
    (folder / "one").write_text("1")
    (folder / "deep").mkdir()
    (folder / "deep" / "two").write_text("2")


def write_whole(folder: Path) -> None:
    folder.mkdir()
    write(folder)


def never(folder: Path) -> None:
    pytest.fail("The folder was made anew.")


def test_a_folder_appears_when_all_is_written_and_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, seen = tmp_path / "above" / "made", []

    def flush() -> None:
        (part,) = (path for path in folder.parent.iterdir() if path.is_dir())
        seen.append((folder.exists(), names(part)))

    monkeypatch.setattr(os, "sync", flush)
    make_folder(folder, write)
    assert seen == [(False, ["deep", "one"])]
    assert names(folder.parent) == [".lock", "made"]
    assert names(folder) == ["deep", "one"]


def test_one_that_is_there_stays_as_it_is_without_a_lock(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    make_folder(tmp_path / "made", never)
    assert names(tmp_path) == ["made"]


def test_others_can_read_it_as_the_mask_says(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        make_folder(tmp_path / "made", write)
    finally:
        os.umask(mask)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_of_one_that_cannot_be_made_nothing_is_left(tmp_path: Path, failure: type[BaseException]) -> None:
    def fail(folder: Path) -> None:
        write(folder)
        raise failure

    with pytest.raises(failure):
        make_folder(tmp_path / "made", fail)
    assert names(tmp_path) == [".lock"]


def test_what_a_killed_process_left_of_it_is_removed_and_nothing_else(tmp_path: Path) -> None:
    others = [".ma*.x", ".made", ".made-too.x", "made.x"]
    for name in (".made.killed", *others):
        (tmp_path / name / "deep").mkdir(parents=True)
    (tmp_path / ".made.note").touch()
    make_folder(tmp_path / "made", write)
    assert names(tmp_path) == sorted([".lock", ".made.note", "made", *others])


def test_while_another_makes_it_one_waits_and_takes_what_it_made(tmp_path: Path) -> None:
    with lock_folder(tmp_path):
        waiting = threading.Thread(target=make_folder, args=(tmp_path / "made", never))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        write_whole(tmp_path / "made")
    waiting.join(20)
    assert not waiting.is_alive()
    assert names(tmp_path) == [".lock", "made"]


def test_without_locks_the_first_to_end_stays(tmp_path: Path) -> None:
    def meanwhile(folder: Path) -> None:
        write_whole(tmp_path / "made")
        (folder / "mine").touch()

    make_folder(tmp_path / "made", meanwhile)
    assert names(tmp_path / "made") == ["deep", "one"]
    assert names(tmp_path) == [".lock", "made"]
