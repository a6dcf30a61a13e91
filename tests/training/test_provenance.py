"""The commit is of the code's own checkout, or there is none."""

import subprocess
from pathlib import Path

import pytest

from torchstn.training import commit, provenance


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


@pytest.mark.parametrize("told", ["_processor", "cores", "torch.backends.cpu.get_cpu_capability"])
def test_machines_that_differ_in_what_speed_depends_on_have_other_names(
    told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = set()
    for value in ("4", "8"):
        monkeypatch.setattr(f"torchstn.training.provenance.{told}", lambda value=value: value)
        names.add(provenance.machine_slug())
    assert len(names) == 2


def test_a_machines_name_is_that_of_a_file_and_the_threads_do_not_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(provenance, "_processor", lambda: "Intel(R) Xeon(R) CPU @ 2.00GHz")
    monkeypatch.setattr(provenance, "cores", lambda: 4)
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert provenance.machine_slug() == "intel-r-xeon-r-cpu-2-00ghz-avx512-4-cores"
