"""The benchmark of a GPU, as far as it can be run without one."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from support.backends import INTERPRETING

from benchmarks import record
from benchmarks.__main__ import main
from benchmarks.case import Case
from benchmarks.gpu import command, device, measure, step
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
        "machine": "a GPU",
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
    slow["cases"][CASES[0].name]["targets"]["forward"] |= {"reached": 2.9, "met": False}
    assert "3x torch, missed" in table(slow)
    assert "NO" in table(_record(same_bits=False))


def test_copies_are_those_measured_beside_the_cases() -> None:
    found = _record()
    assert "a GPU; copies at 1000.0 GB/s. torch 2.13" in table(found)
    found["cases"][CASES[1].name] = found["cases"][CASES[0].name] | {"bandwidth": 2e12}
    assert "copies at 1000.0 to 2000.0 GB/s" in table(found)


class FakeRun:
    """The command on a device that is none: counts the cases, measures nothing."""

    def __init__(self, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.out, self.measured = out, 0
        monkeypatch.setattr(command, "find_device", lambda: torch.device("cpu"))
        monkeypatch.setattr(command, "run_case", self._run_case)
        monkeypatch.setattr(command, "measure_step", lambda *_: None)

    def __call__(self, *words: str) -> int:
        return main(["--device", "gpu", "--quick", "--out", str(self.out), *words])

    def _run_case(self, case: Case, *_: Any) -> dict[str, Any]:
        self.measured += 1
        entry = _record()["cases"][CASES[0].name] | {"title": case.title, **record.provenance()}
        return entry | {"absent": dict.fromkeys(case.peers, "none here"), "failed": {}}


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRun:
    return FakeRun(tmp_path / "record.json", monkeypatch)


@pytest.mark.parametrize(
    ("commit", "measured"), [("0123456789abcdef", 1), ("0123456789abcdef+", 2), (None, 2)]
)
def test_resuming_trusts_no_uncommitted_code(
    commit: str | None, measured: int, fake: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "commit", lambda _: commit)
    for _ in range(2):
        fake("--only", "affine-photos", "--resume")
    assert fake.measured == measured


def test_a_step_that_fails_does_not_cost_the_page(
    fake: FakeRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(command, "measure_step", fail)
    assert fake("--only", "step", "--only", "affine-photos") == 1
    assert "step: OutOfMemoryError: no room" in capsys.readouterr().out
    assert set(record.read(fake.out)["cases"]) == {"affine-photos"}


@pytest.mark.parametrize(
    ("words", "content", "message"),
    [
        (["--only", "step", "--only", "afine"], None, "step; got 'afine'"),
        (["--render"], None, "record.json cannot be read"),
        ([], "not json", "record.json is not a record of benchmarks"),
        ([], "[]", "record.json is not a record of benchmarks"),
    ],
)
def test_a_mistake_is_explained(
    words: list[str], content: str | None, message: str, fake: FakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        fake.out.write_text(content)
    assert fake(*words) == 2
    assert message in " ".join(capsys.readouterr().out.split())
    assert not fake.measured


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
