"""The names that users rely on, and what holds for all of them."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import torchstn as stn

TOP = {
    "Grid",
    "Kernel",
    "Monitor",
    "Parallel",
    "Sampler",
    "SpatialTransformer",
    "TransformerWarning",
    "grid",
    "localisation",
    "parameter_groups",
    "sample",
    "transform",
}
PARTS = {
    "grid": {
        "Basis",
        "BasisGrid",
        "DenseBasis",
        "Grid",
        "InverseReport",
        "MatrixGrid",
        "PointGrid",
        "SplineBasis",
        "ThinPlateBasis",
        "lattice",
    },
    "localisation": {
        "Backbone",
        "Convolutional",
        "FullyConnected",
        "Localisation",
        "RegressionHead",
        "SoftArgmax",
    },
    "sampler": {"BACKENDS", "Backend", "Kernel", "Request", "Sampler", "sample"},
    "transform": {
        "Affine",
        "Attention",
        "Basis",
        "Displacement",
        "Frame",
        "FreeForm",
        "Projective",
        "Rigid",
        "Similarity",
        "ThinPlate",
        "Transform",
        "Translation",
    },
}
BUILDING_BLOCKS = {
    "grid.lattice",
    "transform.Frame",
    *(
        f"grid.{kind}.{method}"
        for kind in ("Basis", "DenseBasis", "SplineBasis", "ThinPlateBasis")
        for method in ("evaluate", "field", "table")
    ),
    "grid.SplineBasis.axis_tables",
}
"""For authors of families and backends: they are handed the convention, and must say it."""


def module(part: str) -> ModuleType:
    return importlib.import_module(f"torchstn.{part}" if part else "torchstn")


@pytest.mark.parametrize(("part", "names"), [("", TOP), *PARTS.items()])
def test_names_are_these(part: str, names: set[str]) -> None:
    listed = module(part).__all__
    assert set(listed) == names
    assert listed == sorted(listed)
    assert all(hasattr(module(part), name) for name in listed)


def test_every_other_name_is_private_or_a_module() -> None:
    public = {name for name in vars(stn) if not name.startswith("_")}
    submodules = {info.name for info in pkgutil.iter_modules(stn.__path__)}
    assert public - submodules <= TOP


def test_version_is_a_string_of_numbers() -> None:
    assert all(part.isdigit() for part in stn.__version__.split("."))


def callables() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function, class and method, by its name."""
    for part in ("", *PARTS):
        for name in module(part).__all__:
            one = getattr(module(part), name)
            path = f"{part}.{name}".strip(".")
            if inspect.isclass(one):
                yield path, one
                methods = inspect.getmembers(one, callable)
                yield from (
                    (f"{path}.{method}", function) for method, function in methods if method[0] != "_"
                )
            elif callable(one):
                yield path, one


CALLABLES = dict(callables())


def ours() -> dict[str, Callable[..., Any]]:
    return {
        path: one
        for path, one in CALLABLES.items()
        if str(getattr(one, "__module__", "")).startswith("torchstn")
    }


def parameters(path: str) -> dict[str, inspect.Parameter]:
    one = CALLABLES[path]
    if inspect.isclass(one) and issubclass(one, Exception):
        return {}
    return dict(inspect.signature(one).parameters)


WITH_CONVENTION = [path for path in ours() if "align_corners" in parameters(path)]


@pytest.mark.parametrize("path", WITH_CONVENTION)
def test_the_convention_is_a_keyword_and_false(path: str) -> None:
    convention = parameters(path)["align_corners"]
    if path in BUILDING_BLOCKS:
        assert convention.default is convention.empty
        return
    assert convention.kind is convention.KEYWORD_ONLY
    # A Grid brings its own convention to `sample`: None stands for it, and for False where there is no Grid.
    assert convention.default is (None if path.endswith("sample") else False)


def test_the_convention_is_looked_for_where_it_is() -> None:
    expected = {"SpatialTransformer", "grid.MatrixGrid", "grid.PointGrid.from_points", "sample"}
    assert expected | {"transform.Affine.forward"} | BUILDING_BLOCKS <= set(WITH_CONVENTION)


def test_everything_public_says_what_it_is() -> None:
    inherited = (".forward", ".reset_parameters", ".extra_repr")
    silent = [
        path for path, one in ours().items() if not inspect.getdoc(one) and not path.endswith(inherited)
    ]
    assert silent == []


def test_everything_public_is_annotated() -> None:
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    bare = [
        f"{path}({name})"
        for path in ours()
        for name, parameter in parameters(path).items()
        if name != "self" and parameter.kind not in variable and parameter.annotation is parameter.empty
    ]
    assert bare == []


def test_import_loads_torch_alone() -> None:
    # jaxtyping is taken where it is installed; hidden here, as it is from a user.
    program = """
import sys
sys.modules["jaxtyping"] = None
import torch
before = set(sys.modules)
import torchstn
loaded = {name.split(".")[0] for name in set(sys.modules) - before}
print(sorted(loaded - set(sys.stdlib_module_names) - {"torch"}))
"""
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "['torchstn']"
    assert output.stderr == ""
