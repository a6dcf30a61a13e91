"""Freed memory is kept: asking for it again costs no page fault."""

import ctypes
import os
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import torch
from torchstn.training import keep_freed_memory

if {keep}:
    assert keep_freed_memory()
# The fewest of several: something small that was put behind a block may leave a gap too narrow for the next.
fewest = 10**9
for _ in range(10):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(20_000_000)
    fewest = min(fewest, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(fewest)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="only glibc can be told"
)
@pytest.mark.parametrize("keep", [True, False])
def test_freed_memory_is_kept_if_so_told(keep: bool) -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(keep=keep)],
        capture_output=True,
        text=True,
        check=True,
        env=plain,
    )
    faults = int(done.stdout)
    assert (faults < 30) == keep, faults  # 80 MB are 19,532 pages of 4 kB, or 40 of 2 MB
