"""Kernels of Triton compiled for a GPU that is not there, and what became of them."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest

ARCHITECTURE = 90
"""H100, H200."""


@dataclass(frozen=True)
class Compiled:
    """One kernel.

    Attributes:
        name: Its function's.
        registers: Of a thread.
        spilled: Bytes that did not fit them.
        ptx: Its code before the last step.
    """

    name: str
    registers: int
    spilled: int
    ptx: str = field(repr=False)


@contextmanager
def compiled_kernels() -> Iterator[tuple[Any, list[Compiled]]]:
    """Yields the module that launches kernels, and a list of those that it would have launched, compiled."""
    from torchstn.sampler.triton import accumulation, configurations, launch

    found: list[Compiled] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "_on", lambda image: nullcontext())
        patch.setattr(configurations, "_shares", lambda job, tile: 1)
        patch.setattr(launch, "run_fastest", lambda key, choices, attempt, work: attempt(choices[0]))
        for module, name in ((launch, "sample"), (launch, "gradients"), (accumulation, "settle")):
            patch.setattr(module, name, _Recorder(getattr(module, name), found))
        yield launch, found


class _Recorder:
    """Takes the place of a kernel: compiles it for a call's arguments instead of launching it."""

    def __init__(self, kernel: Any, found: list[Compiled]) -> None:
        self.kernel, self.found = kernel, found

    def __getitem__(self, grid: Any) -> Any:
        return lambda *args, **options: self.found.append(compile_for(self.kernel, *args, **options))


def compile_for(kernel: Any, *args: Any, **options: Any) -> Compiled:
    """Compiles a kernel as a launch with these arguments would."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, make_backend
    from triton.runtime.jit import create_function_from_signature

    target = GPUTarget("cuda", ARCHITECTURE, 32)
    backend = make_backend(target)
    bind = create_function_from_signature(kernel.signature, kernel.params, backend)
    settings, signature, constants, attributes = kernel._pack_args(backend, options, *bind(*args, **options))
    source = ASTSource(kernel, signature, constants, attributes)
    ptx = triton.compile(source, target=target, options=settings.__dict__).asm["ptx"]
    return Compiled(kernel.__name__, *_resources(ptx), ptx)


def _resources(ptx: str) -> tuple[int, int]:
    """Registers and bytes spilled, as the assembler tells them."""
    from triton.backends.nvidia.compiler import get_ptxas

    with tempfile.NamedTemporaryFile(suffix=".ptx", mode="w") as file:
        file.write(ptx)
        file.flush()
        command = [get_ptxas(ARCHITECTURE).path, "-v", "--fmad=false", f"--gpu-name=sm_{ARCHITECTURE}a"]
        done = subprocess.run(
            [*command, file.name, "-o", "/dev/null"], capture_output=True, text=True, check=True
        )
    registers = re.search(r"Used (\d+) registers", done.stderr)
    spilled = re.search(r"(\d+) bytes spill stores", done.stderr)
    assert registers, done.stderr
    assert spilled, done.stderr
    return int(registers[1]), int(spilled[1])
