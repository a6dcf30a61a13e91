"""The benchmark of a GPU, as far as it can be run without one."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from support.backends import INTERPRETING

from benchmarks.__main__ import main
from benchmarks.gpu import device, measure, step
from benchmarks.gpu.cases import CASES, SHARE_WANTED
from benchmarks.gpu.table import table
from benchmarks.timing import QUICK


def test_the_cases_are_larger_than_any_cache() -> None:
    for case in CASES:
        assert torch.tensor(case.shape).prod() * case.dtype.itemsize >= 30 * 2**20, case.name
    assert set(SHARE_WANTED) <= {case.name for case in CASES}


@pytest.mark.skipif(INTERPRETING or torch.cuda.is_available(), reason="There is something to measure here.")
def test_without_a_gpu_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--device", "gpu"]) == 2
    assert "There is no GPU here" in capsys.readouterr().out


def test_the_clock_of_a_processor_goes_forward() -> None:
    clock = device.Clock(torch.device("cpu"))
    first = clock()
    assert clock() > first
    assert device.copy_bandwidth(torch.device("cpu"), 2**16) > 0


def _record(**entry: Any) -> dict[str, Any]:
    times = {name: {"median": value} for name, value in (("torchstn", 1e-3), ("torch", 4e-3))}
    deterministic = {**times, "torchstn, deterministic": {"median": 2e-3}}
    case = {
        "title": "a case",
        "absent": {},
        "failed": {"kornia": "it disagrees"},
        "same_bits": True,
        "times": {"forward": times, "both": deterministic},
    }
    case |= measure._derived(CASES[0], case["times"], bandwidth=1e12) | entry
    return {
        "gpu": "a GPU",
        "bandwidth": 1e12,
        "versions": {"torch": "2.13"},
        "cases": {CASES[0].name: case},
        "step": None,
    }


def test_the_table_says_what_was_reached_and_what_missed() -> None:
    text = table(_record())
    assert "| a case | forward | **1** ms | torch 4.0x (4) |" in text
    assert "3x torch, reached" in text
    assert "deterministic 2.00 times as long, 2 allowed, the same bits again: yes" in text
    assert "kornia failed the check in affine-photos: it disagrees" in text
    slow = _record()
    slow["cases"][CASES[0].name]["targets"]["forward"]["reached"] = 2.9
    assert "3x torch, missed" in table(slow)
    assert "NO" in table(_record(same_bits=False))


def test_only_what_is_captured_counts_its_steps_on_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    monkeypatch.setattr(torch.optim, "AdamW", lambda *_, **options: chosen.append(options["capturable"]))
    images: Any = SimpleNamespace(is_cuda=True)
    step._step(torch.nn.Linear(1, 1), images, torch.zeros(1), 0.1)
    step._step(torch.nn.Linear(1, 1), images, torch.zeros(1), 0.1, capturable=True)
    assert chosen == [False, True]


@pytest.mark.usefixtures("triton_device")
@pytest.mark.skipif(not INTERPRETING, reason="On a GPU the benchmark itself shows it.")
def test_measures_keeps_and_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "record.json"
    words = [
        "--device",
        "gpu",
        "--quick",
        "--only",
        "affine-digits",
        "--without",
        "torch.compile",
        "--out",
        str(path),
    ]
    assert main(words) == 0
    entry = json.loads(path.read_text())["cases"]["affine-digits"]
    assert {"torchstn", "torch", "torchstn, deterministic"} <= set(entry["times"]["both"])
    assert entry["same_bits"]
    assert "the same bits again: yes." in capsys.readouterr().out  # what follows tells of peers not installed


@pytest.mark.usefixtures("triton_device")
@pytest.mark.skipif(not INTERPRETING, reason="On a GPU the benchmark itself shows it.")
@pytest.mark.parametrize("name", ["affine-features-last", "free-form"])
def test_every_sort_of_case_agrees_with_its_peers(name: str) -> None:
    case = next(case for case in CASES if case.name == name).shrunk()
    entry = measure.run_case(case, torch.device("cpu"), QUICK, ["torch.compile"], bandwidth=1e12)
    assert not entry["failed"]
    assert entry["same_bits"]
