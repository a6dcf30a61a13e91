"""`python -m benchmarks.training`: measure, write the record, redraw the table."""

import argparse
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from torchstn.data import get_data_dir
from torchstn.data.mnist_files import find_mnist
from torchstn.training import machine
from torchstn.training.provenance import machine_slug

from .. import record
from ..options import scratch, threads_of
from ..table import write_between_markers
from .agreement import TOLERANCE, difference
from .measure import CASES, QUICK, Case, Effort, Json, run_case
from .page import tables

PAGE = record.ROOT / "docs" / "benchmarks.md"
console = Console(soft_wrap=True)


def main(words: Sequence[str] | None = None) -> int:
    """Runs what the command line says; 0 if both sides agreed and everything was measured."""
    options = _parser().parse_args(words)
    try:
        return _run(options)
    except ValueError as error:
        console.print(f"[red]Error:[/] {escape(str(error))}")
        return 2


def _run(options: argparse.Namespace) -> int:
    failed = 0
    path = options.out or (scratch() if options.quick else _default_path(options.preset))
    if not options.render:
        cases, threads = _chosen(options.only), threads_of(options.threads)
        data = "" if options.preset == "demo" else str(_data(options.data_dir))
        effort = QUICK if options.quick else Effort()
        failed = _measure(cases, threads, options.preset, data, effort, path)
    if options.out or options.quick:
        console.print(tables(_read(path)), markup=False)
    else:
        records = sorted(record.RESULTS.glob("training-*.json"))
        write_between_markers(PAGE, "\n".join(tables(_read(each)) for each in records), "training")
        console.print(f"Wrote {PAGE}")
    return 1 if failed else 0


def _default_path(preset: str) -> Path:
    named = "" if preset == "quick" else f"{preset}-"
    return record.RESULTS / f"training-{named}{machine_slug()}.json"


def _chosen(pattern: str) -> list[Case]:
    cases = [case for case in CASES if fnmatchcase(case.name, pattern)]
    if not cases:
        raise ValueError(f"no case matches {pattern}: {', '.join(case.name for case in CASES)}")
    return cases


def _data(folder: Path | None) -> Path:
    folder = folder or get_data_dir()
    find_mnist(folder)
    return folder


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training",
        description="Time trainings beside the tutorial's way. Leave the machine alone meanwhile.",
    )
    add = parser.add_argument
    add("--only", default="*", metavar="PATTERN", help="cells such as 'rts/*'")
    add(
        "--threads",
        default="",
        metavar="1,2",
        help="numbers of threads; default: one, and all cores",
    )
    add("--preset", default="quick", choices=("demo", "quick", "paper"))
    add(
        "--data-dir",
        type=Path,
        metavar="FOLDER",
        help="the MNIST files; default, where data get put them; demo needs none",
    )
    add(
        "--quick",
        action="store_true",
        help="a few steps: shows that everything works, its times mean nothing",
    )
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="the record; default: benchmarks/results/training-<machine>.json, none for --quick",
    )
    add("--render", action="store_true", help="only redraw the tables from the records")
    return parser


def _measure(
    cases: Sequence[Case], threads: Sequence[int], preset: str, data: str, effort: Effort, path: Path
) -> int:
    """Measures case after case, writing each as it comes; gives how many disagreed."""
    found = _continued(path, preset)
    failed = 0
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        rounds = progress.add_task("training", total=len(cases) * len(threads) * effort.rounds)
        for case in cases:
            apart = difference(case, preset)
            if apart > TOLERANCE:
                console.print(
                    f"[red]{case.name}: the sides differ by {apart:.2g}, which is more than {TOLERANCE}"
                )
                failed += 1
                continue
            for count in threads:
                before = record.provenance()
                sides = run_case(case, preset, count, data, effort, lambda: progress.advance(rounds))
                found["threads"].setdefault(str(count), {})[case.name] = {"sides": sides, **before}
                record.save(path, found)
                rates = (f"{side} {each['images_per_second']['median']:,.0f}" for side, each in sides.items())
                console.print(f"{case.name}, --threads {count}, images a second: {', '.join(rates)}")
    return failed


def _continued(path: Path, preset: str) -> Json:
    """The record, continued if it is of this machine, these versions and this preset, else a new one."""
    fresh: Json = {
        "machine": machine(threads=False),
        "versions": {name: record.versions()[name] for name in ("torch", "numpy")},
        "preset": preset,
        "threads": {},
    }
    found = record.load(path, fresh, ("machine", "versions", "preset"))
    if path.exists() and not found["threads"]:
        console.print(f"[yellow]{path} starts anew[/]: it was of another machine, preset or other versions.")
    return found


def _read(path: Path) -> Json:
    return record.read(path, {"machine", "versions", "preset", "threads"})


if __name__ == "__main__":
    sys.exit(main())
