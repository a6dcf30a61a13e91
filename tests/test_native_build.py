"""The compiled module as a file: its size, what it asks of the loader, what its instruction sets share."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

OBJECTS = Path(__file__).parents[1] / "build" / "native" / "CMakeFiles"
INSTRUCTION_SETS = ("baseline", "avx2", "neon")


def _run(*words: str | Path) -> str:
    if shutil.which(str(words[0])) is None:
        pytest.skip(f"needs {words[0]}")
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def module() -> Path:
    spec = importlib.util.find_spec("torchstn._native")
    if spec is None or spec.origin is None:
        pytest.skip("the module is not built here")
    return Path(spec.origin)


def test_it_is_small(module: Path) -> None:
    assert module.stat().st_size < 10e6


def test_openmp_is_asked_for_by_its_plain_name(module: Path) -> None:
    wanted = _run("readelf", "--dynamic", module)
    runtimes = [name for name in re.findall(r"NEEDED.*\[(.*)\]", wanted) if "omp" in name]
    assert runtimes == ["libgomp.so.1"]
    assert not re.search(r"R(UN)?PATH", wanted)


@pytest.mark.parametrize("name", INSTRUCTION_SETS)
def test_no_code_of_one_instruction_set_can_stand_in_for_another(name: str) -> None:
    # The linker keeps one copy of what several files define weakly, whichever set it was compiled for.
    objects = sorted((OBJECTS / f"torchstn_{name}.dir").rglob("*.o"))
    if not objects:
        pytest.skip(f"`make native` has not compiled {name} here")
    defined = _run("nm", "--defined-only", "--demangle", *objects).splitlines()
    symbols = [line.split(maxsplit=2)[1:] for line in defined if re.match(r"[0-9a-f]+ \S ", line)]
    shared = {symbol for kind, symbol in symbols if kind.isupper() or kind == "u"}
    assert shared
    assert {symbol for symbol in shared if f"torchstn::{name}::" not in symbol} == set()
