"""Record: what was measured, as a JSON file that is whole after every case."""

import datetime as dt
import importlib.metadata
import importlib.util
import json
import os
import platform
from collections.abc import Set
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torchstn.training import atomic_write
from torchstn.training.provenance import commit, machine, machine_slug

from .bandwidth import bytes_moved
from .case import OURS, PASSES, Case, Pass
from .peers import DISTRIBUTIONS
from .timing import Timing

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SCALING = 1.7
MEMORY = 1_000_000
"""Bytes a matrix grid may need beyond inputs and output."""

Json = dict[str, Any]


def default_path() -> Path:
    """Of this machine's record, named after its processor."""
    return RESULTS / f"{machine_slug()}.json"


def new_record() -> Json:
    """An empty record of this machine."""
    return {
        "machine": machine(threads=False),
        "system": platform.platform(),
        "capability": _capability(),
        "versions": versions(),
        "bandwidth": {},
        "cases": {},
    }


def versions() -> dict[str, str | None]:
    """Of everyone, None where one is not installed."""
    found: dict[str, str | None] = {}
    for name, distribution in DISTRIBUTIONS.items():
        try:
            found[name] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def provenance() -> Json:
    """When, with what code, and how busy the machine was before."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return {"measured": now, "commit": _code(), "load": round(os.getloadavg()[0], 2)}


def _code() -> str | None:
    """The commit, with a `+` if the library or its kernels differ from it; the record itself may."""
    found = [commit(ROOT / part) for part in ("src", "csrc") if (ROOT / part).exists()]
    return max((each for each in found if each), key=len, default=None)


def short_commit(commit: str | None) -> str:
    """As pages name it: ten letters, and the `+` of code that is in no commit."""
    return "none" if commit is None else commit.rstrip("+")[:10] + "+" * commit.endswith("+")


def load(path: Path) -> Json:
    """The record at `path`, continued if it is of this machine and these versions, else a new one.

    Raises:
        ValueError: If the file holds something else.
    """
    fresh = new_record()
    if not path.exists():
        return fresh
    old = read(path)
    same = all(old.get(key) == fresh[key] for key in ("machine", "versions"))
    return {**fresh, "bandwidth": old["bandwidth"], "cases": old["cases"]} if same else fresh


def read(path: Path, holds: Set[str] = frozenset({"machine", "versions", "bandwidth", "cases"})) -> Json:
    """A record.

    Args:
        path: Of the file.
        holds: What it has to hold.

    Raises:
        ValueError: If the file is not one.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        record = None
    if not isinstance(record, dict) or not holds <= set(record):
        raise ValueError(f"{path} is not a record of benchmarks: remove it, or name another with --out.")
    return record


def save(path: Path, record: Json) -> None:
    """Writes the record, whole or not at all."""
    atomic_write(path, json.dumps(record, indent=1) + "\n")


def timings(values: dict[str, Timing]) -> Json:
    """Times as they go into a record."""
    return {name: asdict(value) for name, value in values.items()}


def derive(case: Case, entry: Json, bandwidth: dict[str, float]) -> Json:
    """The entry with all that follows from its times: ratios, targets, share of the bandwidth, scaling."""
    ratios: Json = {}
    share: Json = {}
    for threads, passes in entry["threads"].items():
        for which, times in passes.items():
            ours = times[OURS]["median"]
            ratios.setdefault(threads, {})[which] = {
                name: time["median"] / ours for name, time in times.items() if name != OURS
            }
            if threads in bandwidth:
                moved = bytes_moved(case, which) / ours
                share.setdefault(threads, {})[which] = moved / bandwidth[threads]
    derived = {"ratios": ratios, "bandwidth_share": share, "targets": _targets(case, ratios.get("1", {}))}
    return {**entry, **derived, "scaling": _scaling(case, entry["threads"])}


def _targets(case: Case, ratios: Json) -> Json:
    """For each pass with a target: against whom, what is wanted, what was reached, and if that will do."""
    found: Json = {}
    for which in PASSES:
        wanted = case.wanted(which)
        if wanted is None or case.target is None:
            continue
        reached = ratios.get(which, {}).get(case.target.peer)
        met = None if reached is None else reached >= wanted
        found[which] = {"peer": case.target.peer, "wanted": wanted, "reached": reached, "met": met}
    return found


def _scaling(case: Case, threads: Json) -> Json:
    """How much faster we are on the most threads than on one."""
    most = max(threads, key=int, default="1")
    if most == "1" or "1" not in threads:
        return {}
    found: Json = {}
    for which in _measured(threads[most]):
        ratio = threads["1"][which][OURS]["median"] / threads[most][which][OURS]["median"]
        wanted = SCALING * int(most) / 2 if case.scales and int(most) == 2 else None
        met = None if wanted is None else ratio >= wanted
        found[which] = {"threads": int(most), "ratio": ratio, "wanted": wanted, "met": met}
    return found


def _measured(passes: Json) -> list[Pass]:
    return [which for which in PASSES if which in passes]


def _capability() -> Json:
    """What torch and the compiled kernels use of the processor."""
    import torch

    found: Json = {"torch": torch.backends.cpu.get_cpu_capability(), "torchstn": None}
    if importlib.util.find_spec("torchstn._native") is not None:
        native = importlib.import_module("torchstn._native")
        found["torchstn"] = native.instruction_set()
    return found
