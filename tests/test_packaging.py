"""What is declared, pinned and shipped."""

import ast
import importlib.metadata
import re
import subprocess
import sys
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
IMPORTED_AS = {"pillow": "PIL"}


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
    assert _imported(part) <= declared


def test_every_direct_dependency_is_pinned_exactly_once() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [re.fullmatch(r"([a-z0-9-]+)==[0-9][^ ]*", line) for line in lines if not line.startswith("#")]
    assert all(pins)
    named = [pin[1] for pin in pins if pin]
    direct = {_requirement(text) for text in PROJECT["dependencies"]}.union(*map(_declared, EXTRAS))
    assert sorted(named) == sorted(direct)


def test_versions_agree() -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {PROJECT['version']}\n" in citation
    assert importlib.metadata.version("torchstn") == PROJECT["version"]


def test_the_wheel_holds_the_package_with_its_data_and_nothing_else(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    info = f"torchstn-{PROJECT['version']}.dist-info"
    kept = (".py", ".toml", ".md", ".typed")
    ours = [path for path in SOURCE.rglob("*") if path.suffix in kept or path.name.endswith(kept)]
    expected = {f"torchstn/{path.relative_to(SOURCE).as_posix()}" for path in ours}
    assert expected <= names
    assert {name.split("/")[0] for name in names} == {"torchstn", info}
    assert f"{info}/licenses/LICENSE" in names
