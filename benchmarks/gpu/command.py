"""`python -m benchmarks` on a GPU: measures case after case, keeps each, prints the table last."""

import importlib.metadata
import re
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from rich.console import Console

from .. import record
from ..cases import matches, select
from ..options import scratch
from ..record import Json
from ..table import write_between_markers
from ..timing import QUICK, Effort
from .cases import CASES
from .device import copy_bandwidth, find_device, name_of
from .measure import run_case
from .step import BATCH, measure_step
from .table import table

PAGE = record.ROOT / "docs" / "benchmarks.md"
STEP = "step"


def run(options: Namespace, console: Console) -> int:
    """Does what the command line says; 0 if everything was measured and agreed.

    Raises:
        ValueError: If there is no GPU, no case of a name, or no record to read or to write.
    """
    device = find_device()
    if device is None:
        raise ValueError(
            "There is no GPU here: leave out `--device gpu`, or set TRITON_INTERPRET=1 and add `--quick`."
        )
    if device.type == "cpu" and not options.quick:
        raise ValueError("Interpreted, only `--quick` comes to an end.")
    path = options.out or (
        scratch() if options.quick else record.RESULTS / f"gpu-{_slug(name_of(device))}.json"
    )
    select(options.only, CASES, (STEP,))  # a wrong name is refused before a table is printed
    found = record.read(path) if options.render else record.load(path, _new_record(device))
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
    bandwidth = copy_bandwidth(device, 2**20 if options.quick else 2**30)
    failures = 0
    for case in select(options.only, CASES, (STEP,)):
        size = case.shrunk() if options.quick else case
        old = found["cases"].get(case.name, {})
        if options.resume and record.is_whole(old, size, old.get("times", {}), options.without):
            continue
        measure = partial(run_case, size, device, effort, options.without, bandwidth)
        entry = _attempt(case.name, measure, console)
        if entry is None:
            failures += 1
            continue
        found["cases"][case.name] = entry
        failures += len(entry["failed"]) + (not entry["same_bits"])
        record.save(path, found)
        console.print(f"{case.name}: {_line(entry)}", highlight=False, markup=False)
        if device.type == "cuda":
            torch.cuda.empty_cache()
    if matches(STEP, options.only):
        batch = 4 if options.quick else BATCH
        step = _attempt(STEP, partial(measure_step, device, effort, batch), console)
        failures += step is None
        found["step"] = step or found["step"]
        record.save(path, found)
    console.print(f"Wrote {path}")
    return failures


def _attempt(name: str, measure: Callable[[], Json], console: Console) -> Json | None:
    """What was measured, or None: one case must not cost the others."""
    try:
        return measure()
    except Exception as error:  # noqa: BLE001  # whatever a case raises
        console.print(f"{name}: {type(error).__name__}: {error}", style="red", markup=False)
        return None


def _line(entry: Json) -> str:
    return ", ".join(
        f"{which} {name} {value:.2f}x"
        for which, ratios in entry["ratios"].items()
        for name, value in ratios.items()
    )


def _new_record(device: torch.device) -> Json:
    versions = {**record.versions(), "triton": _triton()}
    return {"machine": name_of(device), "versions": versions, "cases": {}, "step": None}


def _triton() -> str:
    try:
        return importlib.metadata.version("triton")
    except importlib.metadata.PackageNotFoundError as error:
        raise ValueError('Triton is not installed: pip install "torchstn[triton]".') from error


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.split(",", maxsplit=1)[0].lower()).strip("-")
