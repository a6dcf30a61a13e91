"""The commit is of the code's own checkout, or there is none."""

import subprocess
from pathlib import Path

from torchstn.training import commit


def git(folder: Path, *words: str) -> str:
    person = ("-c", "user.name=a", "-c", "user.email=a@b")
    return subprocess.run(
        ["git", *person, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_checkout_has_its_commit_and_a_stranger_in_it_has_none(tmp_path: Path) -> None:
    own, stranger = tmp_path / "src" / "package", tmp_path / ".venv" / "lib" / "package"
    for folder in (own, stranger):
        folder.mkdir(parents=True)
        (folder / "code.py").touch()
    assert commit(own) is None
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text(".venv\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert commit(own) == head
    assert commit(stranger) is None
    (own / "code.py").write_text("changed")
    assert commit(own) == f"{head}+"
