"""torchstn export: the program computes what the network does, alone, for any number of inputs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor

from torchstn.recipes import exporting
from torchstn.recipes.finished import load_run

from .conftest import Call


def check(about: dict[str, Any]) -> None:
    assert about["recipe"] == "distorted-mnist"
    assert about["input"] == {"name": "inputs", "shape": ["n", 1, 42, 42], "type": "float32", "range": [0, 1]}
    assert "digit" in about["output"]["meaning"]


def test_pytorch_alone_reads_a_program(call: Call, run: Path, tmp_path: Path) -> None:
    done = call("export", run, tmp_path / "digits.pt2")
    assert done.exit_code == 0
    assert "inputs (n, 1, 42, 42) to logits" in done.output
    inputs = torch.rand(7, 1, 42, 42)
    torch.save(inputs, tmp_path / "inputs.pt")
    # In a process that does not know torchstn.
    script = f"""
import sys, json, torch
about = {{"torchstn.json": ""}}
program = torch.export.load({str(tmp_path / "digits.pt2")!r}, extra_files=about).module()
torch.save(program(torch.load({str(tmp_path / "inputs.pt")!r})), {str(tmp_path / "logits.pt")!r})
assert not any(name.startswith("torchstn") for name in sys.modules)
print(about["torchstn.json"])
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    check(json.loads(told))
    wanted = load_run(run).model(inputs)
    torch.testing.assert_close(torch.load(tmp_path / "logits.pt"), wanted, atol=1e-4, rtol=1e-4)


def test_onnx_runtime_computes_the_same(call: Call, run: Path, tmp_path: Path) -> None:
    done = call("export", run, tmp_path / "digits.onnx")
    assert done.exit_code == 0
    session = onnxruntime.InferenceSession(tmp_path / "digits.onnx", providers=["CPUExecutionProvider"])
    for count in (1, 6):
        inputs = torch.rand(count, 1, 42, 42)
        (logits,) = session.run(None, {"inputs": inputs.numpy()})
        wanted = load_run(run).model(inputs)
        torch.testing.assert_close(torch.from_numpy(logits), wanted, atol=1e-4, rtol=1e-4)
    about = {entry.key: entry.value for entry in onnx.load(tmp_path / "digits.onnx").metadata_props}
    check(json.loads(about["torchstn.json"]))


def test_another_suffix_or_no_run_is_refused(call: Call, run: Path, tmp_path: Path) -> None:
    done = call("export", run, tmp_path / "digits.h5")
    assert done.exit_code == 2
    assert "FILE must end in .pt2 or .onnx" in done.output
    done = call("export", tmp_path, tmp_path / "digits.pt2")
    assert done.exit_code == 2
    assert not list(tmp_path.glob("*.*"))


def test_missing_packages_are_named(
    call: Call, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    done = call("export", run, tmp_path / "digits.onnx")
    assert done.exit_code == 1
    assert 'onnxruntime is missing; run pip install "torchstn[all]"' in done.output


@pytest.mark.parametrize("least", [1, 3])
def test_a_program_that_computes_something_else_is_not_written(
    call: Call, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: int
) -> None:
    """Not even where it does so of more inputs alone than it was made from."""

    def broken(model: torch.nn.Module, example: Tensor, about: dict[str, Any]) -> tuple[bytes, Any]:
        assert len(example) == 2
        return b"program", lambda x: model(x) + 0.1 * model(x).abs().max() * (len(x) >= least)

    monkeypatch.setitem(exporting._WRITERS, ".pt2", broken)
    done = call("export", run, tmp_path / "digits.pt2")
    assert done.exit_code == 2
    assert "off what the network computes" in done.output
    assert not (tmp_path / "digits.pt2").exists()
