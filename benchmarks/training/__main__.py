"""`python -m benchmarks.training`: measure, write the record, redraw the table."""

import argparse
import json
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from torchstn.data import get_data_dir
from torchstn.data.mnist_files import find_mnist
from torchstn.training import atomic_write, machine
from torchstn.training.provenance import cores, machine_slug

from .. import record
from ..table import write_between_markers
from .agreement import TOLERANCE, difference
from .measure import CASES, QUICK, Case, Effort, Json, run_case
from .page import tables

PAGE = record.ROOT / "docs" / "benchmarks.md"
console = Console(soft_wrap=True)


def main(words: Sequence[str] | None = None) -> int:
    """Runs what the command line says; 0 if both sides agreed and everything was measured."""
    options = _parser().parse_args(words)
    cases = [case for case in CASES if fnmatchcase(case.name, options.only)]
    if not cases:
        console.print(f"[red]Error:[/] no case matches {options.only}: {', '.join(c.name for c in CASES)}")
        return 2
    if not options.render and options.preset != "demo":
        try:
            find_mnist(options.data_dir or get_data_dir())
        except ValueError as missing:
            console.print(f"[red]Error:[/] {missing}")
            return 2
    path = options.out or record.RESULTS / f"training-{machine_slug()}.json"
    failed = 0 if options.render else _measure(cases, options, path, _read(path, options.preset))
    if options.out is None and not options.quick:
        records = sorted(record.RESULTS.glob("training-*.json"))
        write_between_markers(PAGE, "\n".join(map(_table, records)), "training")
        console.print(f"Wrote {PAGE}")
    else:
        console.print(_table(path), markup=False)
    return 1 if failed else 0


def _table(path: Path) -> str:
    return tables(json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"threads": {}})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training",
        description="Time trainings beside the tutorial's way. Leave the machine alone meanwhile.",
    )
    add = parser.add_argument
    add("--only", default="*", metavar="PATTERN", help="cells such as 'rts/*'")
    add(
        "--threads",
        default=f"1,{cores()}",
        metavar="1,2",
        help="numbers of threads; default: one, and all cores",
    )
    add("--preset", default="quick", choices=("demo", "quick", "paper"))
    add("--data-dir", type=Path, metavar="FOLDER", help="the MNIST files; default, where data get put them")
    add(
        "--quick",
        action="store_true",
        help="a few steps: shows that everything works, its times mean nothing",
    )
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="the record; default: benchmarks/results/training-<machine>.json",
    )
    add("--render", action="store_true", help="only redraw the tables from the records")
    return parser


def _measure(cases: Sequence[Case], options: argparse.Namespace, path: Path, found: Json) -> int:
    """Measures case after case, writing each as it comes; gives how many disagreed."""
    threads = sorted({int(word) for word in options.threads.split(",")})
    effort = QUICK if options.quick else Effort()
    data = "" if options.preset == "demo" else str(options.data_dir or get_data_dir())
    failed = 0
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        rounds = progress.add_task("training", total=len(cases) * len(threads) * effort.rounds)
        for case in cases:
            apart = difference(case, options.preset)
            if apart > TOLERANCE:
                console.print(
                    f"[red]{case.name}: the sides differ by {apart:.2g}, which is more than {TOLERANCE}"
                )
                failed += 1
                continue
            for count in threads:
                entry = run_case(case, options.preset, count, data, effort, lambda: progress.advance(rounds))
                found["threads"].setdefault(str(count), {})[case.name] = entry
                atomic_write(path, json.dumps({**found, **record.provenance()}, indent=1) + "\n")
                rates = (f"{side} {each['images_per_second']['median']:,.0f}" for side, each in entry.items())
                console.print(f"{case.name}, --threads {count}, images a second: {', '.join(rates)}")
    return failed


def _read(path: Path, preset: str) -> Json:
    """The record, continued if it is of this machine, these versions and this preset, else a new one."""
    fresh: Json = {
        "machine": machine(threads=False),
        "versions": {name: record.versions()[name] for name in ("torch", "numpy")},
        "preset": preset,
        **record.provenance(),
        "threads": {},
    }
    if not path.exists():
        return fresh
    old: Json = json.loads(path.read_text(encoding="utf-8"))
    same = all(old.get(key) == fresh[key] for key in ("machine", "versions", "preset"))
    return old if same else fresh


if __name__ == "__main__":
    sys.exit(main())
