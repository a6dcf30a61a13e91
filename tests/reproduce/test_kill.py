"""Killed or stopped at any moment and started again, a reproduction ends as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from support import reproduce_tiny
from support.reproduce_tiny import jobs, reproduce

from torchstn.reproduce import Job
from torchstn.training import Run


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[Job]:
    made = jobs(tmp_path_factory.mktemp("undisturbed"))
    assert reproduce(made) == []
    return made


def start(folder: Path) -> subprocess.Popen[str]:
    """Starts a reproduction and waits until both trainings have saved some steps."""
    command = [sys.executable, reproduce_tiny.__file__, str(folder)]
    tests = str(Path(__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])}
    parent = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    until(lambda: parent.poll() is not None or all(Run(job.run).latest_step > 3 for job in jobs(folder)))
    assert parent.poll() is None, parent.communicate()[0]
    return parent


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def assert_same(first: list[Job], second: list[Job]) -> None:
    for one, two in zip(first, second, strict=True):
        a, b = Run(one.run).load_weights(), Run(two.run).load_weights()
        assert all(torch.equal(a[name], b[name]) for name in a)
        assert json.loads(one.result.read_text())["value"] == json.loads(two.result.read_text())["value"]


@pytest.mark.slow
def test_a_killed_reproduction_takes_its_children_along_and_a_second_one_goes_on(
    undisturbed: list[Job], tmp_path: Path
) -> None:
    parent = start(tmp_path)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert not any(job.result.exists() for job in jobs(tmp_path))
    # At once, while the orphans may still be at it: whoever finds a run in use waits for it.
    assert reproduce(jobs(tmp_path)) == []
    assert all("Stopped. Go on with" in job.log.read_text() for job in jobs(tmp_path))
    assert_same(undisturbed, jobs(tmp_path))
