"""Record: what was measured, as a JSON file that is whole after every case."""

import datetime as dt
import importlib.metadata
import importlib.util
import json
import os
import platform
import tempfile
from collections.abc import Collection, Sequence, Set
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
_MEASURED = frozenset({"cases", "threads"})
"""What a record of one command or another holds its measurements under."""


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


def same_code(one: Json, other: Json) -> bool:
    """Whether both are of one commit; what differs from its commit may differ from hour to hour."""
    found = one.get("commit")
    return found is not None and not found.endswith("+") and found == other.get("commit")


def is_whole(entry: Json, case: Case, passes: Json, without: Collection[str]) -> bool:
    """Whether nothing is left to measure: of this very code and case, each peer timed or with a reason."""
    told = {*entry.get("absent", ()), *entry.get("failed", ()), *passes.get(PASSES[0], ())}
    here = same_code(entry, provenance()) and entry.get("title") == case.title
    return here and {OURS, *case.peers} - {*without} <= told


def merge(old: Json, entry: Json) -> Json:
    """The entry, with the old one's other numbers of threads if that is of the same code and case."""
    kept = {count: each for count, each in old.get("threads", {}).items() if count not in entry["threads"]}
    if not kept or not same_code(old, entry) or old["title"] != entry["title"]:
        return entry
    parts = ("absent", "agreement", "threads", "memory", "bandwidth")
    merged = {part: {**old.get(part, {}), **entry.get(part, {})} for part in parts}
    missing = {name for each in kept.values() for name in old["failed"] if name not in each[PASSES[0]]}
    failed = {name: reason for name, reason in old["failed"].items() if name in missing}
    return entry | merged | {"failed": failed | entry["failed"]}


def load(path: Path, fresh: Json, of: Sequence[str] = ("machine", "versions")) -> Json:
    """The record at `path`, continued if it is of the same machine and versions as `fresh`, else `fresh`.

    Args:
        path: Of the file.
        fresh: A new record.
        of: What the two must agree in.

    Raises:
        ValueError: If the file holds something else, or none can be written there.
    """
    check_writable(path)
    if not path.exists():
        return fresh
    old = read(path, {*of, *(_MEASURED & set(fresh))})
    same = all(old[key] == fresh[key] for key in of)
    return fresh | {key: old[key] for key in (*_MEASURED, "bandwidth", "step") if same and key in old}


def check_writable(path: Path) -> None:
    """Better known before an hour of measuring than after it.

    Raises:
        ValueError: If no file can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            reason = "it is a folder" if path.is_dir() else ""
    except OSError as error:
        reason = error.strerror
    if reason:
        raise ValueError(f"`--out` must name a file that can be written; got {path}: {reason}.")


def read(path: Path, holds: Set[str] = frozenset({"machine", "versions", "cases"})) -> Json:
    """A record.

    Args:
        path: Of the file.
        holds: What it has to hold.

    Raises:
        ValueError: If there is no such file, or it is no record.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}): measure first, or name another record with --out."
        ) from error
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
    """The entry with all that follows from its times: ratios, targets, share of the bandwidth, scaling.

    Args:
        case: What was measured.
        entry: What was found.
        bandwidth: By number of threads, for entries that do not hold what was measured beside them.
    """
    bandwidth = {**bandwidth, **entry.get("bandwidth", {})}
    counts = entry["threads"]
    by_count = {count: ratios(passes) for count, passes in counts.items()}
    share = {count: shares(case, counts[count], bandwidth[count]) for count in counts if count in bandwidth}
    derived = {"ratios": by_count, "bandwidth_share": share, "targets": targets(case, by_count.get("1", {}))}
    return {**entry, **derived, "scaling": _scaling(case, counts)}


def ratios(passes: Json) -> Json:
    """For each pass, everyone's time over ours."""
    return {
        which: {name: time["median"] / times[OURS]["median"] for name, time in times.items() if name != OURS}
        for which, times in passes.items()
    }


def shares(case: Case, passes: Json, bandwidth: float) -> Json:
    """For each pass, what had to be moved in our time over what copying moves in it."""
    return {
        which: bytes_moved(case, which) / passes[which][OURS]["median"] / bandwidth
        for which in _measured(passes)
    }


def targets(case: Case, ratios: Json) -> Json:
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
