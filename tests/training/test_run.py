"""A run is a folder: settings there and back, two checkpoints kept, nothing half done taken for whole."""

from pathlib import Path
from typing import Any

import pytest
import torch

from torchstn.training import Checkpoint, Run, to_toml

SETTINGS: dict[str, Any] = {
    "name": 'quotes " and \\ and ü and \n and \x7f and \x01',
    "steps": 10,
    "rate": 1e-05,
    "third": 1 / 3,
    "whole": 2.0,
    "flag": True,
    "path": Path("/somewhere/else"),
}


def state(step: int) -> Checkpoint:
    return Checkpoint(step, {"model": {"weight": torch.tensor([float(step)])}}, {"seconds": 0.1})


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    assert not run.exists()
    run.start(SETTINGS | {"absent": None})
    assert run.exists()
    config = run.config
    assert config == SETTINGS | {"path": "/somewhere/else"}
    assert [type(value) for value in config.values()] == [str, int, float, float, float, bool, str]


@pytest.mark.parametrize("value", [[1], {"a": 1}, 1j])
def test_a_setting_of_another_kind_is_refused_and_nothing_written(value: object, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="`size` must be a string, a number or a truth value"):
        Run(tmp_path).start({"size": value})
    assert not list(tmp_path.iterdir())


def test_none_is_left_out_of_the_toml() -> None:
    assert to_toml({"a": None, "b": 1}) == "b = 1\n"


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"`{tmp_path}` holds no run: there is no config.toml"):
        _ = Run(tmp_path).config
    assert Run(tmp_path).latest_checkpoint() is None
    assert Run(tmp_path).result is None


@pytest.mark.parametrize("content", [b"name = \xff", b"name = ", b"= 1"])
def test_a_damaged_config_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(ValueError, match=r"config.toml` is no valid TOML"):
        _ = Run(tmp_path).config


def test_the_latest_two_checkpoints_are_kept_and_the_one_of_most_steps_is_taken(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for step in (9, 10, 100_000_000, 99_999_999):
        run.save_checkpoint(state(step))
    latest = run.latest_checkpoint()
    assert latest is not None
    assert latest.step == 100_000_000
    assert latest.tensors["model"]["weight"].item() == 100_000_000
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2


def test_a_started_run_loses_what_a_crash_left_over(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.save_checkpoint(state(1))
    leftovers = [tmp_path / ".config.toml.ab.part", tmp_path / "checkpoints" / ".step-2.cd.part"]
    for path in leftovers:
        path.write_bytes(b"half")
    latest = run.latest_checkpoint()
    assert latest is not None
    assert latest.step == 1
    run.start({"steps": 1})
    assert not any(path.exists() for path in leftovers)
    assert run.latest_checkpoint() is not None


def test_final_weights_come_back_and_a_run_without_them_is_refused(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with pytest.raises(ValueError, match="holds no final weights: its training has not ended"):
        run.load_weights()
    run.save_weights({"weight": torch.arange(3.0)})
    assert torch.equal(run.load_weights()["weight"], torch.arange(3.0))


def test_a_result_comes_back(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.save_result({"value": 0.7, "paper": None})
    assert run.result == {"value": 0.7, "paper": None}


def test_the_beginning_comes_back_and_none_was_kept_by_older_runs(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert run.beginning == {}
    run.start({"steps": 1}, beginning={"data": "digits", "commit": None})
    assert run.beginning == {"data": "digits", "commit": None}


def test_the_classes_come_back_and_none_are_kept_without_any(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.start({"steps": 1})
    assert run.classes == ()
    run.start({"steps": 1}, classes=("größer", "1"))
    assert run.classes == ("größer", "1")


@pytest.mark.parametrize("name", ["result", "beginning", "classes"])
@pytest.mark.parametrize("content", [b'{"value": 0.', b'["\xff"]'])
def test_a_damaged_file_is_named(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / f"{name}.json").write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}.json` is no valid JSON"):
        getattr(Run(tmp_path), name)


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("result", "[1]", r"object, got \[1\]"),
        ("beginning", "[]", r"object, got \[\]"),
        ("classes", '{"a": 1}', r'list, got \{"a": 1\}'),
        ("classes", '"cat"', 'list, got "cat"'),
    ],
)
def test_a_file_of_something_else_is_named(name: str, content: str, rule: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.json").write_text(content)
    with pytest.raises(ValueError, match=rf"{name}.json` must hold a JSON {rule}"):
        getattr(Run(tmp_path), name)
