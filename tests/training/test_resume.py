"""Killed at any moment and resumed, a training ends bit for bit as if it had never stopped."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support.tiny_training import PER_EPOCH, STEPS, StoppedError, build_model, train

from torchstn.training import Run

SCRIPT = Path(__file__).parents[1] / "support" / "tiny_training.py"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run(tmp_path_factory.mktemp("undisturbed"))
    train(run.folder)
    return run


def weights(run: Run) -> dict[str, torch.Tensor]:
    checkpoint = run.latest_checkpoint()
    assert checkpoint is not None
    assert checkpoint.step == STEPS
    return {f"{g}/{n}": t for g, tensors in checkpoint.tensors.items() for n, t in tensors.items()}


def assert_same_run(first: Run, second: Run) -> None:
    a, b = weights(first), weights(second)
    assert a.keys() == b.keys()
    assert any(name.startswith("optimiser/") for name in a)
    assert any(name.startswith("average/") for name in a)
    for name in a:
        assert torch.equal(a[name], b[name]), name
    logged, again = ([{**record, "seconds": 0} for record in run.metrics.read()] for run in (first, second))
    assert logged == again
    assert [record["step"] for record in logged] == [*range(PER_EPOCH, STEPS, PER_EPOCH), STEPS]


def kill_at_step(folder: Path, step: int) -> None:
    """Starts a training in its own process and kills it without warning once it has saved a step."""
    arguments = [
        sys.executable,
        str(SCRIPT),
        str(folder),
        str(folder / "never.safetensors"),
        str(STEPS),
        "0.02",
        "0.1",
    ]
    child = subprocess.Popen(arguments, env=os.environ | {"OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < deadline:
        files = sorted((folder / "checkpoints").glob("step-*.safetensors"))
        if files and int(files[-1].stem.removeprefix("step-")) >= step:
            break
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "the training ended before it could be killed"


def test_killed_twice_and_resumed_it_ends_bit_for_bit_the_same(undisturbed: Run, tmp_path: Path) -> None:
    kill_at_step(tmp_path, 5)
    kill_at_step(tmp_path, PER_EPOCH * 3 + 2)
    run = Run(tmp_path)
    stopped = run.latest_checkpoint()
    assert stopped is not None
    assert stopped.step < STEPS
    train(tmp_path)
    assert_same_run(undisturbed, run)
    assert not list(tmp_path.rglob(".*.part"))


@pytest.mark.parametrize("stop", [1, PER_EPOCH - 1, PER_EPOCH, PER_EPOCH + 1])
def test_resumed_from_each_side_of_an_epochs_end(undisturbed: Run, tmp_path: Path, stop: int) -> None:
    with pytest.raises(StoppedError):
        train(tmp_path, stop=stop)
    train(tmp_path)
    assert_same_run(undisturbed, Run(tmp_path))


def test_metrics_logged_after_the_checkpoint_are_not_doubled(undisturbed: Run, tmp_path: Path) -> None:
    kill_at_step(tmp_path, PER_EPOCH + 3)
    run = Run(tmp_path)
    run.metrics.append({"step": STEPS - 1, "epoch": 99})
    with run.metrics.path.open("a") as file:
        file.write('{"step": 5')
    train(tmp_path)
    assert_same_run(undisturbed, run)


def test_what_a_killed_process_left_half_written_is_removed(tmp_path: Path) -> None:
    train(tmp_path, steps=2)
    leftovers = [tmp_path / ".metrics.jsonl.ab.part", tmp_path / "checkpoints" / ".step-3.cd.part"]
    for path in leftovers:
        path.touch()
    train(tmp_path, steps=3)
    assert not any(path.exists() for path in leftovers)


def test_the_time_of_earlier_processes_counts(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train(tmp_path, stop=3)
    run = Run(tmp_path)
    state = run.latest_checkpoint()
    assert state is not None
    run.save_checkpoint(replace(state, scalars={**state.scalars, "seconds": 1e6}))
    assert train(tmp_path).seconds > 1e6
    assert all(record["seconds"] > 1e6 for record in run.metrics.read())


def test_a_finished_training_is_left_as_it_is(undisturbed: Run) -> None:
    before = weights(undisturbed)
    fitted = train(undisturbed.folder)
    assert fitted.steps == STEPS
    assert_same_run(undisturbed, undisturbed)
    assert all(
        torch.equal(value, before[f"average/{name}"]) for name, value in fitted.model.state_dict().items()
    )


def test_the_training_changes_the_weights(undisturbed: Run) -> None:
    end, start = weights(undisturbed), build_model().state_dict()
    assert not any(torch.equal(end[f"model/{name}"], start[name]) for name in start)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    train(tmp_path, steps=2)
    newest = max((tmp_path / "checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:-7])
    with pytest.raises(ValueError, match=newest.name):
        train(tmp_path)
