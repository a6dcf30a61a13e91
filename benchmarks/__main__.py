"""`python -m benchmarks`: measure, write the record, redraw table and chart."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from . import record, table
from .bandwidth import copy_bandwidth
from .case import OURS, PASS_TITLES, PASSES, Case
from .cases import CASES, select
from .chart import draw
from .options import scratch, threads_of
from .peers import PEERS
from .run import Report, run_case, set_threads
from .timing import QUICK, Effort

PAGE = record.ROOT / "docs" / "benchmarks.md"
README = record.ROOT / "README.md"
IMAGES = record.ROOT / "docs" / "images"
console = Console(soft_wrap=True)


def main(words: Sequence[str] | None = None) -> int:
    """Runs what the command line says; 0 if everything was measured and agreed."""
    options = _parser().parse_args(words)
    if options.device == "gpu" or (options.device == "auto" and torch.cuda.is_available()):
        return _on_gpu(options)
    if options.list:
        return _list(CASES)
    try:
        cases, threads = select(options.only), threads_of(options.threads)
        path = options.out or (scratch() if options.quick else record.default_path())
        found = record.read(path) if options.render else record.load(path, record.new_record())
    except ValueError as error:
        console.print(f"[red]Error:[/] {escape(str(error))}")
        return 2
    if path.exists() and not found["cases"]:
        console.print(f"[yellow]{path} starts anew[/]: it was of another machine, or of other versions.")
    failures = 0 if options.render else _measure(options, cases, threads, path, found)
    if options.render or not (options.quick or options.out):
        _render(found)
    return 1 if failures else 0


def _on_gpu(options: argparse.Namespace) -> int:
    from .gpu import cases, command

    if options.list:
        return _list(cases.CASES)
    try:
        return command.run(options, console)
    except ValueError as error:
        console.print(f"[red]Error:[/] {escape(str(error))}")
        return 2


def _list(cases: Sequence[Case]) -> int:
    for case in cases:
        console.print(f"{case.name:22} {case.title}", highlight=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time torchstn and its peers side by side. Leave the machine alone meanwhile.",
    )
    add = parser.add_argument
    add("--only", action="append", default=[], metavar="NAME", help="a case, or a pattern as 'affine-*'")
    add("--device", choices=("auto", "cpu", "gpu"), default="auto", help="default: a GPU where there is one")
    add("--threads", default="", metavar="1,2", help="numbers of threads; default: one, and all cores")
    peers = [name for name in PEERS if name != OURS]
    leave_out = "leave out a peer, as torch.compile"
    add("--without", action="append", default=[], choices=peers, metavar="PEER", help=leave_out)
    add(
        "--quick", action="store_true", help="tiny sizes: shows that everything works, its times mean nothing"
    )
    add("--resume", action="store_true", help="skip what the record has from this very commit, unchanged")
    add("--out", type=Path, metavar="FILE", help="the record; default: benchmarks/results/<machine>.json")
    add("--render", action="store_true", help="only redraw table and chart from the record")
    add("--list", action="store_true", help="only name the cases")
    add("--budget", type=float, default=Effort.budget, metavar="S", help="seconds a peer, pass and threads")
    return parser


def _render(found: record.Json) -> None:
    """Redraws the chart; writes it and the tables into the documentation, a line into the README."""
    drawn = draw(found, IMAGES)
    table.write_between_markers(PAGE, table.tables(found))
    table.write_between_markers(README, table.summary(found))
    console.print("Wrote", *(str(each.relative_to(record.ROOT)) for each in (PAGE, README, *drawn)))


def _measure(
    options: argparse.Namespace, cases: Sequence[Case], threads: Sequence[int], path: Path, found: record.Json
) -> int:
    """Measures case after case, writing each as it comes; returns how many checks failed."""
    if os.getloadavg()[0] > 0.5 and not options.quick:
        console.print(f"[yellow]The machine is busy[/] (load {os.getloadavg()[0]:.1f}): times will be off.")
    effort = QUICK if options.quick else Effort(budget=options.budget)
    bandwidth = _bandwidth(threads, quick=options.quick)
    failures = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        steps = progress.add_task("starting", total=len(cases) * (3 * len(threads) + 1))
        for case in (case.shrunk() if options.quick else case for case in cases):
            old = found["cases"].get(case.name, {})
            if options.resume and _is_done(old, case, threads, options.without):
                progress.advance(steps, 3 * len(threads) + 1)
                continue

            def report(step: str) -> None:
                progress.update(steps, description=step, advance=1)

            entry = _one(case, threads, effort, options, report)
            if entry is None:
                failures += 1
                continue
            merged = record.merge(old, entry | {"bandwidth": bandwidth})
            found["cases"][case.name] = record.derive(case, merged, found.get("bandwidth", {}))
            record.save(path, found)
            failures += _tell(case, found["cases"][case.name], entry)
    console.print(f"Wrote {path}")
    return failures


def _one(
    case: Case, threads: Sequence[int], effort: Effort, options: argparse.Namespace, report: Report
) -> record.Json | None:
    try:
        return run_case(case, threads, effort, without=options.without, quick=options.quick, report=report)
    except Exception as error:  # noqa: BLE001  # one case must not cost the others
        console.print(f"{case.name}: {type(error).__name__}: {error}", style="red", markup=False)
        return None


def _tell(case: Case, derived: record.Json, entry: record.Json) -> int:
    """Prints what a case came to; returns how much of it failed this time."""
    console.print(_line(case, derived), highlight=False)
    reasons = [*entry["failed"].values(), *([entry["memory_failed"]] if entry["memory_failed"] else [])]
    for reason in reasons:
        console.print(f"  {reason}", style="red", markup=False)
    return len(reasons)


def _line(case: Case, entry: record.Json) -> str:
    """What a case came to, in one line."""
    words = [f"{case.name} ({entry['backend']})"]
    threads = min(entry["threads"], key=int)
    for which in PASSES:
        times = entry["threads"][threads][which]
        words.append(f"{PASS_TITLES[which]} {times[OURS]['median'] * 1e3:.3g} ms")
        words += [f"{name} {ratio:.2f}x" for name, ratio in entry["ratios"][threads][which].items()]
    return ", ".join(words)


def _bandwidth(threads: Sequence[int], *, quick: bool) -> dict[str, float]:
    found = {}
    for count in threads:
        set_threads(count)
        found[str(count)] = copy_bandwidth(1 if quick else 256)
    return found


def _is_done(entry: record.Json, case: Case, threads: Sequence[int], without: Sequence[str]) -> bool:
    passes = entry.get("threads", {})
    return all(record.is_whole(entry, case, passes.get(str(count), {}), without) for count in threads)


if __name__ == "__main__":
    sys.exit(main())
