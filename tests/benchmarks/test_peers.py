"""Every peer solves the very problem we solve: its output and gradients equal ours."""

import warnings

import pytest
import torch

from benchmarks.case import OURS, Case
from benchmarks.cases import CASES, select
from benchmarks.checking import check
from benchmarks.peers import PEERS
from benchmarks.problem import make_problem
from benchmarks.solution import Solution, solve

MODULES = {
    "kornia": "kornia",
    "OpenCV": "cv2",
    "MONAI": "monai",
    "torch-interpol": "interpol",
    "voxelmorph": "voxelmorph",
    "scipy": "scipy",
}
PAIRS = [(case, name) for case in CASES for name in case.peers if name != "torch.compile"]


def _agree(case: Case, name: str) -> None:
    small = case.shrunk()
    problem = make_problem(small)
    ours, peer = (solve(small, Solution(PEERS[who](small), problem)) for who in (OURS, name))
    agreement = check(small, ours, peer, name)
    half = case.dtype == torch.bfloat16
    assert all(value is None or value < (4e-3 if half else 1e-4) for value in vars(agreement).values())
    assert (agreement.image is None) == (name in ("OpenCV", "scipy"))


@pytest.mark.filterwarnings("ignore")  # of other libraries, while they are imported and used
@pytest.mark.parametrize(("case", "name"), PAIRS, ids=[f"{case.name}-{name}" for case, name in PAIRS])
def test_a_peer_agrees(case: Case, name: str) -> None:
    if name in MODULES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pytest.importorskip(
                MODULES[name], reason=f"{name} comes with the extra `bench`", exc_type=ImportError
            )
    _agree(case, name)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_compiled_peer_agrees() -> None:
    (case,) = select(["affine-features-last"])
    _agree(case, "torch.compile")


@pytest.mark.parametrize("name", [name for name in PEERS if name not in (OURS, "reference")])
def test_a_peer_says_what_it_cannot_do(name: str) -> None:
    (case,) = select(["free-form"])
    with pytest.raises((NotImplementedError, ImportError)):
        PEERS[name](case)
