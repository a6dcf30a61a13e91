"""The layers of the package, and that imports go down them only."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "torchstn"

# Bottom first. A part may import from the layers below its own; parts of one layer do not know each other.
LAYERS = (
    {"_types", "_checks", "_constants", "_precision", "_taps"},
    {"grid"},
    {"localisation", "transform", "sampler"},
    {"spatial_transformer"},
    {"parallel", "parameter_groups", "monitor"},
    {"training"},
    {"data"},
    {"recipes"},
    {"figures"},
    {"reproduce"},
    {"cli"},
    {"__main__"},
)
# What `import torchstn` loads. It needs torch, and takes jaxtyping where it is installed.
LIBRARY = set().union(*LAYERS[:5])
OF_THE_EXTRAS = (
    "accelerate",
    "h5py",
    "matplotlib",
    "mlxtend",
    "pandas",
    "PIL",
    "rich",
    "safetensors",
    "scipy",
    "typer",
)

# Where a module may import what is not everywhere. NumPy comes with Triton's interpreter.
OPTIONAL = {"_types.py": {"jaxtyping"}, "sampler/triton": {"triton", "numpy"}}

MODULES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


def _part(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _optional_part(path: Path) -> str:
    name = path.relative_to(SOURCE).as_posix()
    return next((part for part in OPTIONAL if name.startswith(part)), "")


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def _imports(path: Path, source: str) -> Iterator[tuple[str, ...]]:
    """Yields the absolute dotted name of everything the file imports, at its top or within a function."""
    package = ("torchstn", *path.relative_to(SOURCE).parts[:-1])
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = package[: len(package) - node.level + 1] if node.level else ()
            module = (*parent, *(node.module.split(".") if node.module else ()))
            yield from ((*module, alias.name) for alias in node.names)


def _rank(part: str) -> int:
    return next(rank for rank, layer in enumerate(LAYERS) if part in layer)


def _upward(path: Path, source: str) -> list[str]:
    """The imports in the file that its layer does not allow."""
    part = _part(path)
    inner = [name for name in _imports(path, source) if name[0] == "torchstn"]
    return [
        ".".join(name)
        for name in inner
        if name[1:] and name[1] != part and any(name[1] in layer for layer in LAYERS[_rank(part) :])
    ]


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_only_from_the_layers_below(path: Path) -> None:
    assert _upward(path, path.read_text()) == []


@pytest.mark.parametrize("path", [path for path in MODULES if _part(path) in LIBRARY], ids=_name)
def test_the_library_imports_torch_alone(path: Path) -> None:
    foreign = {name[0] for name in _imports(path, path.read_text())} - set(sys.stdlib_module_names)
    assert foreign <= {"torch", "torchstn"} | OPTIONAL.get(_optional_part(path), set())


def test_what_is_optional_is_loaded_where_it_is_used() -> None:
    """Whether `import torchstn` needs what only a machine with a GPU has."""
    program = "import sys, torchstn; print(sorted({'triton', 'torchstn._native'} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"


def test_every_part_has_a_layer() -> None:
    parts = {_part(path) for path in MODULES}
    assert parts <= set().union(*LAYERS)


@pytest.mark.parametrize(
    ("file", "source", "upward"),
    [
        ("grid/matrix.py", "from ..sampler import sample", ["torchstn.sampler.sample"]),
        ("grid/matrix.py", "from .. import sampler", ["torchstn.sampler"]),
        ("sampler/reference.py", "def f():\n    import torchstn.cli", ["torchstn.cli"]),
        ("sampler/reference.py", "from torchstn.transform import Affine", ["torchstn.transform.Affine"]),
        ("sampler/reference.py", "from ..grid import Grid\nfrom .kernel import Kernel\nimport math", []),
    ],
)
def test_the_walk_sees_an_import_that_goes_up(file: str, source: str, upward: list[str]) -> None:
    assert _upward(SOURCE / file, source) == upward


def test_import_loads_nothing_of_the_extras() -> None:
    program = f"import sys, torchstn; print([name for name in {OF_THE_EXTRAS} if name in sys.modules])"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"
