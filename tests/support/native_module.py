"""Another build of the compiled kernels in place of the installed one, a pytest plugin: `make sanitize`.

    TORCHSTN_NATIVE_MODULE=build/sanitize/module pytest -p support.native_module tests/sampler

The module comes from the folder that the variable names, before any test is collected.
"""

import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path

import pytest

NAME = "torchstn._native"


def _built() -> Path:
    folder = Path(os.environ["TORCHSTN_NATIVE_MODULE"])
    found = [folder / f"_native{suffix}" for suffix in importlib.machinery.EXTENSION_SUFFIXES]
    return next(path for path in found if path.exists())


def pytest_configure() -> None:
    import torchstn  # noqa: F401 - torch's OpenMP runtime comes first

    loader = importlib.machinery.ExtensionFileLoader(NAME, str(_built()))
    spec = importlib.util.spec_from_loader(NAME, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    sys.modules[NAME] = module


def pytest_report_header(config: pytest.Config) -> str:
    return f"compiled kernels: {sys.modules[NAME].__file__}"
