"""The typed session sees what is wrong, and leaves out what it cannot see."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest
from beartype.roar import BeartypeCallHintViolation
from support.typecheck import can_run, checked

SUPPORT = Path(__file__).parent

SESSION = """
import pytest
import torch
import torchstn as stn
from torchstn.grid.lattice import lattice_axis


def test_right():
    stn.sample(torch.rand(1, 2, 4, 5), stn.transform.Affine()(torch.rand(3, 6), (6, 7)))


def test_wrong_type():
    lattice_axis(4, "yes", torch.float32, torch.device("cpu"))


def test_wrong_shape():
    stn.grid.MatrixGrid(torch.rand(2, 2, 3), size=(4, 5)).at(torch.rand(7, 2))


def test_refused():
    with pytest.raises(ValueError, match="theta"):
        stn.transform.Affine()(torch.rand(3, 5), (6, 7))
"""


def test_a_session_passes_what_is_right_and_fails_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "test_session.py").write_text(SESSION)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "support.typecheck",
        "-p",
        "no:cacheprovider",
        str(tmp_path),
    ]
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}"],
        cwd=SUPPORT.parent,
        env=os.environ | {"COLUMNS": "200"},  # the summary's lines are cut there
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 failed, 1 passed, 1 deselected" in done.stdout, done.stdout + done.stderr
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 2
    assert all("jaxtyping.TypeCheckError" in line for line in failed)


def test_checks_arguments_and_results() -> None:
    def half(value: float) -> int:
        return value / 2

    with pytest.raises(BeartypeCallHintViolation):
        checked(half)("1")
    with pytest.raises(BeartypeCallHintViolation):
        checked(half)(1.0)


def test_takes_whole_numbers_for_floats_and_self_for_anything() -> None:
    def same(self: object, value: float) -> Self:
        return self

    assert checked(same)("me", 1) == "me"


def test_leaves_out_refusals_and_tracers() -> None:
    assert can_run("assert sample(x) == 1")
    assert not can_run("with pytest.raises(ValueError): sample(x)")
    assert not can_run("torch.compile(module)(x)")
