"""Threads: the same bits for any number, several callers at once, forked children, one OpenMP runtime."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from support.agreement import FIELDS, KERNELS, KINDS, PADDINGS, Case, make_image, make_parameters, run
from torch import Tensor

import torchstn as stn
from torchstn.grid import MatrixGrid

pytestmark = pytest.mark.usefixtures("compiled")

# Large enough to be worth sharing between threads.
LARGE = {2: Case(size=(61, 83), out=(70, 120)), 3: Case(size=(13, 17, 21), out=(20, 18, 24))}


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _everything(case: Case, seed: int = 5) -> list[Tensor]:
    """The output and every gradient of a case; one thread makes its numbers, as torch's may differ."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    leaves = [value.requires_grad_() for value in (make_image(case), *make_parameters(case))]
    shape = (max(case.images, case.grids), case.channels, *case.out)
    cotangent = torch.randn(shape).to(case.dtype)
    torch.set_num_threads(threads)
    output = run(case, leaves[0], leaves[1:], "native")
    # Of a grid of the user's own torch reduces the gradient, in an order that depends on its threads.
    wanted = leaves if case.kernel != "nearest" and case.kind != "own" else leaves[:1]
    return [output, *torch.autograd.grad(output, wanted, cotangent)]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dims", LARGE)
def test_the_same_bits_for_any_number_of_threads(dims: int, kind: str, kernel: str, threads: None) -> None:
    for images, grids, channels in ((1, 1, 1), (1, 1, 8), (3, 3, 2), (1, 5, 3), (5, 1, 3)):
        for layout in ("contiguous", "channels_last"):
            case = replace(
                LARGE[dims],
                kind=kind,
                kernel=kernel,
                layout=layout,
                images=images,
                grids=grids,
                channels=channels,
            )
            results = []
            for count in (1, 2, 3, 7):
                torch.set_num_threads(count)
                results.append(_everything(case))
            for other in results[1:]:
                assert all(torch.equal(*pair) for pair in zip(results[0], other, strict=True)), (
                    case,
                    len(results),
                )


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_the_same_bits_in_every_type_and_padding(dtype: torch.dtype, padding: str, threads: None) -> None:
    case = replace(LARGE[2], dtype=dtype, padding=padding, spread=1.0)
    results = []
    for count in (1, 3):
        torch.set_num_threads(count)
        results.append(_everything(case))
    assert all(torch.equal(*pair) for pair in zip(*results, strict=True))


def test_several_callers_at_once(threads: None) -> None:
    torch.set_num_threads(2)
    cases = [
        replace(
            LARGE[2 + number % 2], kind=KINDS[number % len(KINDS)], kernel=KERNELS[number % 3], seed=number
        )
        for number in range(24)
    ]
    inputs = []
    for case in cases:
        torch.manual_seed(case.seed)
        inputs.append((case, make_image(case), make_parameters(case)))

    def work(number: int) -> list[Tensor]:
        case, image, parameters = inputs[number]
        leaves = [value.detach().requires_grad_() for value in (image, *parameters)]
        output = run(case, leaves[0], leaves[1:], "native")
        return [output, *torch.autograd.grad(output.square().sum(), leaves[:1])]

    expected = [work(number) for number in range(len(cases))]
    with ThreadPoolExecutor(6) as pool:
        for _ in range(3):
            for actual, wanted in zip(pool.map(work, range(len(cases))), expected, strict=True):
                assert all(torch.equal(*pair) for pair in zip(actual, wanted, strict=True))


def test_other_threads_run_while_it_works() -> None:
    """The interpreter's lock is released: a counter in another thread moves on during one long call."""
    import threading

    image, matrix = torch.rand(1, 8, 1500, 1500), torch.eye(2, 3)[None] * 0.9
    grid = MatrixGrid(matrix, size=(1500, 1500))
    counted, stop, started = [0], threading.Event(), threading.Event()

    def count() -> None:
        started.set()
        while not stop.is_set():
            counted[0] += 1

    counter = threading.Thread(target=count)
    counter.start()
    started.wait()
    stn.sample(image, grid, kernel="cubic", backend="native")  # anything done once is done
    before = counted[0]
    stn.sample(image, grid, kernel="cubic", backend="native")
    during = counted[0] - before
    stop.set()
    counter.join()
    assert during > 10_000  # with the lock held it could move on for a few milliseconds of 5 ms slices only


def _run(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


PRELUDE = """
import hashlib, os, sys, torch, torchstn as stn
def digest():
    torch.manual_seed(0)
    image = torch.rand(4, 3, 200, 200, requires_grad=True)
    matrix = (torch.eye(2, 3) * torch.rand(4, 2, 3)).requires_grad_()
    grid = stn.grid.MatrixGrid(matrix, size=(200, 200))
    output = stn.sample(image, grid, kernel="cubic", backend="native")
    values = [output, *torch.autograd.grad(output.sum(), [image, matrix])] if training else [output]
    return hashlib.sha256(b"".join(value.detach().numpy().tobytes() for value in values)).hexdigest()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("before", [False, True], ids=["not used before", "used before"])
def test_works_in_a_forked_child(before: bool) -> None:
    """As in the workers of a data loader: torch's own threads would wait for ever there."""
    program = f"""
training = False
{PRELUDE}
torch.set_num_threads(2)
if {before}:
    digest()
    training = True
    digest()
    training = False
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.write(write, digest().encode())
    os._exit(0)
os.waitpid(child, 0)
print(os.read(read, 64).decode() == digest())
"""
    assert _run(program).strip().endswith("True")


def test_works_in_the_workers_of_a_data_loader() -> None:
    program = """
import torch, torchstn as stn
class Warped(torch.utils.data.Dataset):
    def __len__(self): return 6
    def __getitem__(self, index):
        image = torch.arange(40_000.0).view(1, 1, 200, 200) + index
        grid = stn.grid.MatrixGrid(torch.eye(2, 3)[None], size=(200, 200))
        return stn.sample(image, grid, backend="native")[0]
if __name__ == "__main__":
    torch.set_num_threads(2)
    Warped()[0]
    loader = torch.utils.data.DataLoader(Warped(), 2, num_workers=2, multiprocessing_context="fork")
    print([int(batch[0, 0, 0, 0]) for batch in loader])
"""
    assert _run(program).strip() == "[0, 2, 4]"


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="this system does not list what is mapped")
def test_one_openmp_runtime_is_mapped() -> None:
    program = (
        """
training = True
import re
"""
        + PRELUDE
        + """
torch.set_num_threads(2)
torch.rand(1000, 1000).sum()
digest()
paths = {line.split()[-1] for line in open("/proc/self/maps") if re.search("lib(g|i|)omp", line)}
print(len(paths), *paths)
"""
    )
    count, *_ = _run(program).split()
    assert count == "1"


def test_follows_torchs_number_of_threads(
    compiled: ModuleType, monkeypatch: pytest.MonkeyPatch, threads: None
) -> None:
    from torchstn.sampler.native import extension

    seen = []

    class Spy:
        def forward(self, *args: Any) -> None:
            seen.append(args[9])
            compiled.forward(*args)

        def backward(self, *args: Any) -> None:
            seen.append(args[9])
            compiled.backward(*args)

    monkeypatch.setattr(extension._extension, "loaded", Spy())
    for count in (1, 3):
        torch.set_num_threads(count)
        _everything(LARGE[2])
    assert seen == [1, 1, 3, 3]


def test_repeated_runs_give_the_same_bits() -> None:
    for kind in (one for one in KINDS if one not in FIELDS):
        case = replace(LARGE[2], kind=kind, kernel="cubic")
        digests = {
            hashlib.sha256(
                b"".join(value.detach().numpy().tobytes() for value in _everything(case))
            ).hexdigest()
            for _ in range(3)
        }
        assert len(digests) == 1
