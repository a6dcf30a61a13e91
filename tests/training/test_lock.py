"""Two processes never train in one folder; a lock dies with its process."""

import errno
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.tiny_training import train

from torchstn.training import Run

HOLDER = """
import sys, time
from torchstn.training import Run
with Run(sys.argv[1]).lock():
    print("locked", flush=True)
    time.sleep(300)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that trains in the folder, as far as anyone can tell."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "locked\n"
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    with Run(tmp_path / "not" / "yet").lock():
        assert (tmp_path / "not" / "yet").is_dir()


def test_a_folder_in_use_is_refused_by_name_and_process_and_left_alone(
    holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    message = f"`{re.escape(str(tmp_path))}` is in use: process {holder.pid} trains in it"
    with pytest.raises(ValueError, match=message):
        train(tmp_path, steps=1)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    assert (tmp_path / ".lock").read_text() == f"{holder.pid}\n"


def test_a_killed_process_locks_no_longer(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with Run(tmp_path).lock():
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"


def test_nothing_is_left_of_a_longer_number(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("12345678901234567890\n")
    with Run(tmp_path).lock():
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"


def test_a_lock_ends_with_its_context_and_with_an_error(tmp_path: Path) -> None:
    run, other = Run(tmp_path), Run(tmp_path)
    with run.lock(), pytest.raises(ValueError, match=f"process {os.getpid()}"), other.lock():
        pass
    with pytest.raises(KeyError), run.lock():
        raise KeyError
    # The first has let go, and knows it.
    with other.lock(), pytest.raises(ValueError, match="is in use"), run.lock():
        pass


def test_where_there_are_no_locks_one_trains_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "fcntl", None)  # as on Windows
        with Run(tmp_path).lock(), Run(tmp_path).lock():
            pass

    def none_left(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))  # as on some network file systems

    monkeypatch.setattr("fcntl.flock", none_left)
    with Run(tmp_path).lock(), Run(tmp_path).lock():
        pass


def test_who_holds_a_folder_may_ask_again_and_holds_it_still(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with run.lock():
        with run.lock():
            pass
        with pytest.raises(ValueError, match="is in use"), Run(tmp_path).lock():
            pass
