"""`python -m benchmarks` on a GPU: measures case after case, keeps each, prints the table last."""

import importlib.metadata
import json
import re
import tempfile
from argparse import Namespace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from torchstn.training import atomic_write
from torchstn.training.provenance import commit

from .. import record
from ..case import Case
from ..table import write_between_markers
from ..timing import QUICK, Effort
from .cases import CASES
from .device import copy_bandwidth, find_device, name_of
from .measure import run_case
from .step import BATCH, measure_step
from .table import table

PAGE = record.ROOT / "docs" / "benchmarks.md"
STEP = "step"
Json = dict[str, Any]


def run(options: Namespace, console: Console) -> int:
    """Does what the command line says; 0 if everything was measured and agreed.

    Raises:
        ValueError: If there is no GPU, or no case of a name.
    """
    device = find_device()
    if device is None:
        raise ValueError(
            "There is no GPU here: leave out `--device gpu`, or set TRITON_INTERPRET=1 and add `--quick`."
        )
    if device.type == "cpu" and not options.quick:
        raise ValueError("Interpreted, only `--quick` comes to an end.")
    path = options.out or (
        _scratch() if options.quick else record.RESULTS / f"gpu-{_slug(name_of(device))}.json"
    )
    found = _load(path, device)
    try:
        failures = 0 if options.render else _measure(options, device, path, found, console)
    finally:
        # Whatever went wrong, what was measured is worth seeing.
        console.print(table(found), highlight=False, markup=False)
    if options.render or not (options.quick or options.out):
        write_between_markers(PAGE, table(found), "gpu")
    return 1 if failures else 0


def _measure(options: Namespace, device: torch.device, path: Path, found: Json, console: Console) -> int:
    effort = QUICK if options.quick else Effort(shortest=0.005, rounds=21, watched=11, budget=options.budget)
    found["bandwidth"] = copy_bandwidth(device, 2**20 if options.quick else 2**30)
    failures = 0
    for case in _selected(options.only):
        if options.resume and found["cases"].get(case.name, {}).get("commit") == commit(record.ROOT / "src"):
            continue
        try:
            size = case.shrunk() if options.quick else case
            entry = run_case(size, device, effort, options.without, found["bandwidth"])
        except Exception as error:  # noqa: BLE001  # one case must not cost the others
            console.print(f"{case.name}: {type(error).__name__}: {error}", style="red", markup=False)
            failures += 1
            continue
        found["cases"][case.name] = entry
        failures += len(entry["failed"]) + (not entry["same_bits"])
        _save(path, found)
        console.print(f"{case.name}: {_line(entry)}", highlight=False, markup=False)
        if device.type == "cuda":
            torch.cuda.empty_cache()
    if not options.only or STEP in options.only:
        found["step"] = measure_step(device, effort, 4 if options.quick else BATCH)
        _save(path, found)
    console.print(f"Wrote {path}")
    return failures


def _selected(patterns: list[str]) -> list[Case]:
    chosen = [
        case for case in CASES if not patterns or any(fnmatchcase(case.name, each) for each in patterns)
    ]
    if not chosen and patterns != [STEP]:
        raise ValueError(f"`--only` must name some of {', '.join([*(case.name for case in CASES), STEP])}.")
    return chosen


def _line(entry: Json) -> str:
    return ", ".join(
        f"{which} {name} {value:.2f}x"
        for which, ratios in entry["ratios"].items()
        for name, value in ratios.items()
    )


def _load(path: Path, device: torch.device) -> Json:
    """The record at `path` if it is of this GPU and these versions, else a new one."""
    versions = {**record.versions(), "triton": _triton()}
    fresh = {"gpu": name_of(device), "versions": versions, "bandwidth": 0.0, "cases": {}, "step": None}
    if not path.exists():
        return fresh
    old: Json = json.loads(path.read_text(encoding="utf-8"))
    return old if (old.get("gpu"), old.get("versions")) == (fresh["gpu"], versions) else fresh


def _triton() -> str:
    try:
        return importlib.metadata.version("triton")
    except importlib.metadata.PackageNotFoundError as error:
        raise ValueError('Triton is not installed: pip install "torchstn[triton]".') from error


def _save(path: Path, found: Json) -> None:
    atomic_write(path, json.dumps(found, indent=1) + "\n")


def _scratch() -> Path:
    return Path(tempfile.mkdtemp(prefix="torchstn-bench-")) / "quick.json"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.split(",", maxsplit=1)[0].lower()).strip("-")
