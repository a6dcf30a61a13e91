"""What holds for every test: bounded threads, a seed of its own, no network, poisoned memory."""

import os
import random
import socket
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before torch is imported, and inherited by the processes that tests start.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ["MPLBACKEND"] = "Agg"
os.environ["HF_HUB_OFFLINE"] = "1"

import hypothesis
import pytest
import torch
from support.backends import compiled, each_backend, instruction_set, triton_device  # noqa: F401 - fixtures
from support.native_calls import calls  # noqa: F401 - a fixture
from torch import Tensor

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
hypothesis.settings.register_profile("tests", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("tests")


@pytest.fixture(autouse=True)
def seed(request: pytest.FixtureRequest) -> int:
    """Gives each test random numbers of its own, the same in any order and on any worker."""
    value = zlib.crc32(request.node.nodeid.encode())
    random.seed(value)
    torch.manual_seed(value)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(value)
    return value


@pytest.fixture(autouse=True)
def data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hides the user's own data, so that a test sees on every machine what it sees on an empty one."""
    folder = tmp_path_factory.getbasetemp() / "no-data"
    monkeypatch.setenv("TORCHSTN_DATA", str(folder))
    return folder


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """Refuses every connection that would leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise PermissionError(f"A test tried to reach {address}; tests work without a network.")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="session", autouse=True)
def poisoned_memory() -> Iterator[None]:
    """Fills what the package allocates without writing it, so that a read before a write cannot go unseen.

    Only for calls that come from the package itself, and not while torch compiles, where a further
    operation would change the graph under test.
    """
    with torch.device("meta"):
        # torch notes once which functions make tensors; had it noted ours, it would know them no more.
        torch.empty(0)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("empty", "empty_like", "empty_strided"):
            patch.setattr(torch, name, _poisoned(getattr(torch, name)))
        for name in ("new_empty", "new_empty_strided"):
            patch.setattr(Tensor, name, _poisoned(getattr(Tensor, name)))
        yield


def _poisoned(allocate: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def wrapper(*args: Any, **kwargs: Any) -> Tensor:
        fresh = allocate(*args, **kwargs)
        if torch.compiler.is_compiling():
            return fresh
        caller = sys._getframe(1).f_globals.get("__name__", "")
        return _poison(fresh) if caller.split(".")[0] == "torchstn" else fresh

    return wrapper


def _poison(fresh: Tensor) -> Tensor:
    if fresh.is_floating_point() or fresh.is_complex():
        return fresh.fill_(float("nan"))
    return fresh.fill_(True if fresh.dtype == torch.bool else torch.iinfo(fresh.dtype).max)
