"""The commands that need no run: help, data, results, doctor; and how failures are told."""

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from torchstn import __version__, figures, sampler
from torchstn.cli import doctor, self_test
from torchstn.data import DownloadError

from .conftest import Call

COMMANDS = (
    "demo",
    "train",
    "train distorted-mnist",
    "train mnist-addition",
    "evaluate",
    "predict",
    "show",
    "data",
    "data get",
    "data show",
)
COMMANDS += ("data get mnist", "reproduce", "results", "doctor")


@pytest.mark.parametrize("command", ["evaluate", "predict", "reproduce", "results", "show", "train svhn"])
def test_a_flag_is_shown_as_it_is_typed(call: Call, command: str) -> None:
    lines = call(*command.split(), "--help").output.splitlines()
    # That of --help itself is Typer's own.
    assert not [line for line in lines if "<bool>" in line and "--help" not in line]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself(call: Call, command: str) -> None:
    done = call(*command.split(), "--help")
    assert done.exit_code == 0
    assert "Usage:" in done.output
    assert len(done.output.split()) > 20


def test_version(call: Call) -> None:
    assert call("--version").output == f"torchstn {__version__}\n"


def test_unknown_command_is_refused(call: Call) -> None:
    done = call("tarin")
    assert done.exit_code == 2
    assert "No such command 'tarin'" in done.output


def test_doctor_finds_this_machine_sound(call: Call, data_folder: Path) -> None:
    done = call("doctor")
    assert "torchstn data get svhn" in done.output
    assert done.exit_code == 0
    assert "reference" in done.output
    assert f"not in {data_folder}: torchstn data get mnist" in done.output
    assert "bit for bit" in done.output


def test_doctor_looks_for_all_that_is_declared(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    monkeypatch.setattr(sys, "platform", "linux")
    for extra in doctor.EXTRAS:
        declared = {re.split(r"[\[<>=]", text)[0] for text in project["optional-dependencies"][extra]}
        assert set(doctor.packages_of(extra)) == declared - {"torchstn"}
    monkeypatch.setattr(sys, "platform", "darwin")
    assert doctor.packages_of("triton") == []

    version = importlib.metadata.version
    lacking = {"pytorch-optimizer", "onnx"}
    monkeypatch.setattr(doctor, "_version", lambda name: None if name in lacking else version(name))
    done = call("doctor")
    assert 'pytorch-optimizer missing: pip install "torchstn[recipes]"' in done.output
    assert 'onnx missing: pip install "torchstn[onnx]"' in done.output
    assert "torchstn data get cub" in done.output


def test_doctor_names_the_family_that_breaks_the_law(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "sample", lambda image, grid, backend: image + grid.theta.shape[1] // 8)
    done = call("doctor")
    assert "torchstn data get svhn" in done.output
    assert done.exit_code == 1
    assert "BROKEN" in done.output
    assert "Projective, align_corners=False, reference" in done.output
    assert "Affine" not in done.output


def test_doctor_says_which_kernels_run_or_why_none(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    here = sampler.BACKENDS[0]
    assert here.name == "native"
    here = replace(here, find_missing=lambda: None, find_place=lambda: "C++, neon")
    monkeypatch.setattr(sampler, "BACKENDS", [here])
    assert "yes         C++, neon" in call("doctor").output
    monkeypatch.setattr(sampler, "BACKENDS", [replace(here, find_missing=lambda: "not built: no compiler")])
    assert "no          not built: no compiler" in call("doctor").output


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Tensor], dict[str, Any]]]:
    """What contact sheets are made of, and how."""
    seen: list[tuple[dict[str, Tensor], dict[str, Any]]] = []
    draw = figures.contact_sheet
    monkeypatch.setattr(
        figures, "contact_sheet", lambda sets, **how: seen.append((sets, how)) or draw(sets, **how)
    )
    return seen


def test_contact_sheet_of_the_papers_distortions(
    call: Call, tmp_path: Path, drawn: list[tuple[dict[str, Tensor], dict[str, Any]]]
) -> None:
    done = call("data", "show", "--out", tmp_path / "sheet.png", "--across", 2)
    assert done.exit_code == 0
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.width > 3 * picture.height
    ((sets, how),) = drawn
    assert {name: len(images) for name, images in sets.items()} == dict.fromkeys(
        ("R", "RTS", "P", "E", "TC"), 4
    )
    assert how == {"across": 2}


def test_another_seed_shows_other_versions_of_the_same_digits(
    call: Call, tmp_path: Path, drawn: list[tuple[dict[str, Tensor], dict[str, Any]]]
) -> None:
    for seed in (1, 1, 2):
        assert call("data", "show", "--out", tmp_path / "sheet.png", "--seed", seed).exit_code == 0
    first, again, other = (sets for sets, _ in drawn)
    for name, images in first.items():
        assert len(images) == 25
        assert torch.equal(images, again[name])
        assert not torch.equal(images, other[name])


def test_no_network_is_a_sentence(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unreachable(*_: object, **__: object) -> Path:
        raise DownloadError("Could not download train-images, is there a network?")

    monkeypatch.setattr("torchstn.data.download_mnist", unreachable)
    done = call("data", "get", "mnist", "--data-dir", tmp_path)
    assert done.exit_code == 1
    assert "Error: Could not download train-images, is there a network?" in done.output


def _results(folder: Path, value: float, cell: str = "r/cnn", preset: str = "quick") -> None:
    path = folder / f"distorted-mnist/{preset}/{cell}/seed-0.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "recipe": "distorted-mnist",
        "cell": cell,
        "seed": 0,
        "metric": "test error (%)",
        "value": value,
    }
    record |= {"paper": 1.2, "parameters": 1, "preset": preset, "images_seen": 1, "wall_seconds": 60.0}
    record |= {"machine": "m", "commit": "c", "data": "d", "command": "torchstn train"}
    path.write_text(json.dumps(record))


def test_tables_are_written_between_markers_and_checked(call: Call, tmp_path: Path) -> None:
    results, page = tmp_path / "results", tmp_path / "page.md"
    page.write_text("before\n<!-- results:begin -->\nold\n<!-- results:end -->\nafter\n")
    _results(results, 1.5)
    stale = call("results", results, "--check", page)
    assert stale.exit_code == 1
    assert f"run torchstn results --write {page}" in stale.output
    assert call("results", results, "--write", page).exit_code == 0
    text = page.read_text()
    assert text.startswith("before\n<!-- results:begin -->\n")
    assert text.endswith("<!-- results:end -->\nafter\n")
    assert "| 1.50 (1.2) |" in text
    assert "\nold\n" not in text
    assert call("results", results, "--check", page).exit_code == 0
    _results(results, 1.4)
    assert call("results", results, "--check", page).exit_code == 1
    assert page.read_text() == text


def test_readings_are_held_against_what_has_one_by_the_same_preset(call: Call, tmp_path: Path) -> None:
    results, page = tmp_path / "results", tmp_path / "page.md"
    page.write_text("<!-- results-readings:begin -->\n<!-- results-readings:end -->\n")
    _results(results, 1.5)
    _results(results, 1.9, cell="r-once/cnn")
    _results(results, 1.1, preset="full")
    assert call("results", results, "--write", page).exit_code == 0
    text = page.read_text()
    assert "1.50 (1.2)" in text
    assert "1.90 (1.2)" in text
    assert "1.10" not in text
    assert "`full`" not in text


def test_what_holds_no_results_is_refused_and_no_page_touched(call: Call, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- results:begin -->\nkept\n<!-- results:end -->\n")
    before = page.read_text()
    for wrong in (tmp_path / "nothere", page):
        done = call("results", wrong, "--write", page)
        assert done.exit_code == 2
        assert (
            f"FOLDER must be a folder of results, such as torchstn reproduce fills, got {wrong}."
            in done.output
        )
    assert page.read_text() == before
    for option in ("--write", "--check"):
        done = call("results", tmp_path, option, tmp_path / "nofile.md")
        assert done.exit_code == 2
        assert option in done.output
        assert "does not exist" in done.output


@pytest.mark.parametrize("content", ["no markers", "<!-- results:begin -->\nno end"])
def test_page_without_its_markers_is_refused_and_kept(call: Call, content: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(content)
    done = call("results", tmp_path, "--write", page)
    assert done.exit_code == 2
    assert "results:end -->" in done.output
    assert page.read_text() == content


def test_damaged_result_is_named(call: Call, tmp_path: Path) -> None:
    (tmp_path / "seed-0.json").write_text("{")
    done = call("results", tmp_path)
    assert done.exit_code == 2
    assert "seed-0.json: not JSON" in done.output


@pytest.mark.parametrize("package", ["typer", "rich", "matplotlib", "accelerate"])
def test_missing_package_is_one_sentence(package: str) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; sys.argv = ['torchstn', 'data', 'show']; "
    program += "from torchstn.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert 'pip install "torchstn[' in done.stderr
