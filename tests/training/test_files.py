"""Files appear whole or not at all, whatever happens while they are written."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from torchstn.training import atomic_write
from torchstn.training.files import remove_leftovers

WRITER = """
import sys
from torchstn.training import atomic_write
print("ready", flush=True)
while True:
    for letter in b"xy":
        atomic_write(sys.argv[1], bytes([letter]) * 4_000_000)
"""


def test_bytes_and_text_are_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "there"
    atomic_write(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    atomic_write(str(path), "Größe\n")
    assert path.read_bytes() == "Größe\n".encode()
    assert list(path.parent.iterdir()) == [path]


def test_the_whole_content_is_in_the_file_before_it_is_flushed_to_the_disk(
    tmp_path: Path, flushed: list[int]
) -> None:
    atomic_write(tmp_path / "small", b"seven b")
    assert flushed[0] == 7


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_an_error_on_the_way_leaves_the_old_file_and_nothing_else(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError("the disk is full")

    path = tmp_path / "file"
    atomic_write(path, "old")
    monkeypatch.setattr(os, broken, fail)
    with pytest.raises(OSError, match="the disk is full"):
        atomic_write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_once_it_has_its_name_is_told_as_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def interrupted(*arguments: Path) -> None:
        replace(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        atomic_write(tmp_path / "file", "new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["new"]


def test_content_is_on_the_disk_before_the_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, real=real: (order.append(name), real(*a))[1])
    atomic_write(tmp_path / "file", "text")
    assert order == ["fsync", "replace", "fsync"]


def test_a_killed_writer_leaves_one_whole_file_or_the_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    partial, kills = False, 0
    # When a kill comes is the machine's affair: as many as it takes for one to come in the middle of a write.
    while not partial or kills < 3:
        kills += 1
        assert kills <= 40, "no writer was killed in the middle of a write"
        pause = (0.003, 0.011, 0.023, 0.001, 0.0)[kills % 5]
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        while not path.exists():
            time.sleep(0.001)
        # Wait for the middle of a write: the temporary file is there and grows.
        while not any(tmp_path.glob(".file.*.part")):
            pass
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert path.read_bytes() in (b"x" * 4_000_000, b"y" * 4_000_000)
        partial |= any(tmp_path.glob(".file.*.part"))
        remove_leftovers(tmp_path)
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_others_may_read_it_as_the_mask_says(mask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        atomic_write(tmp_path / "file", "text")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_only_temporary_files_are_removed(tmp_path: Path) -> None:
    kept = [tmp_path / name for name in ("a.part", ".hidden", "file")]
    for path in [*kept, tmp_path / ".file.x1.part"]:
        path.touch()
    remove_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_no_file_is_left_open(tmp_path: Path) -> None:
    def lowest_free() -> int:
        descriptor = os.open(os.devnull, os.O_RDONLY)
        os.close(descriptor)
        return descriptor

    before = lowest_free()
    atomic_write(tmp_path / "file", "content")
    assert lowest_free() == before
