"""`python -m benchmarks`: measure, write the record, redraw table and chart."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from . import record, table
from .bandwidth import copy_bandwidth
from .case import OURS, PASS_TITLES, PASSES, Case
from .cases import CASES, select
from .chart import draw
from .options import scratch, threads_of
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
    try:
        cases, threads = select(options.only), threads_of(options.threads)
        path = options.out or (scratch() if options.quick else record.default_path())
        found = record.load(path) if not options.render else record.read(path)
    except ValueError as error:
        console.print(f"[red]Error:[/] {error}")
        return 2
    if options.list:
        for case in CASES:
            console.print(f"{case.name:22} {case.title}", highlight=False)
        return 0
    if path.exists() and not found["cases"]:
        console.print(f"[yellow]{path} starts anew[/]: it was of another machine, or of other versions.")
    failures = 0 if options.render else _measure(options, cases, threads, path, found)
    if options.render or not (options.quick or options.out):
        _render(found)
    return 1 if failures else 0


def _on_gpu(options: argparse.Namespace) -> int:
    from .gpu import cases, command

    if options.list:
        for case in cases.CASES:
            console.print(f"{case.name:22} {case.title}", highlight=False)
        return 0
    try:
        return command.run(options, console)
    except ValueError as error:
        console.print(f"[red]Error:[/] {error}")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time torchstn and its peers side by side. Leave the machine alone meanwhile.",
    )
    add = parser.add_argument
    add("--only", action="append", default=[], metavar="NAME", help="a case, or a pattern as 'affine-*'")
    add("--device", choices=("auto", "cpu", "gpu"), default="auto", help="default: a GPU where there is one")
    add("--threads", default="", metavar="1,2", help="numbers of threads; default: one, and all cores")
    add("--without", action="append", default=[], metavar="PEER", help="leave out a peer, as torch.compile")
    add(
        "--quick", action="store_true", help="tiny sizes: shows that everything works, its times mean nothing"
    )
    add("--resume", action="store_true", help="skip the cases that the record has from this very commit")
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
    _bandwidth(found, threads, quick=options.quick)
    failures = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        steps = progress.add_task("starting", total=len(cases) * (3 * len(threads) + 1))
        for case in cases:
            if options.resume and _is_done(found, case, threads):
                progress.advance(steps, 3 * len(threads) + 1)
                continue

            def report(step: str) -> None:
                progress.update(steps, description=step, advance=1)

            failures += _one(case, threads, effort, options, found, report)
            record.save(path, found)
    console.print(f"Wrote {path}")
    return failures


def _one(
    case: Case,
    threads: Sequence[int],
    effort: Effort,
    options: argparse.Namespace,
    found: record.Json,
    report: Report,
) -> int:
    size = case.shrunk() if options.quick else case
    try:
        entry = run_case(size, threads, effort, without=options.without, quick=options.quick, report=report)
    except Exception as error:  # noqa: BLE001  # one case must not cost the others
        console.print(f"[red]{case.name}: {type(error).__name__}: {error}[/]")
        return 1
    found["cases"][case.name] = record.derive(size, entry, found["bandwidth"])
    console.print(_line(case, found["cases"][case.name]), highlight=False)
    for reason in entry["failed"].values():
        console.print(f"  [red]{reason}[/]")
    return len(entry["failed"])


def _line(case: Case, entry: record.Json) -> str:
    """What a case came to, in one line."""
    words = [f"{case.name} ({entry['backend']})"]
    threads = min(entry["threads"], key=int)
    for which in PASSES:
        times = entry["threads"][threads][which]
        words.append(f"{PASS_TITLES[which]} {times[OURS]['median'] * 1e3:.3g} ms")
        words += [f"{name} {ratio:.2f}x" for name, ratio in entry["ratios"][threads][which].items()]
    return ", ".join(words)


def _bandwidth(found: record.Json, threads: Sequence[int], *, quick: bool) -> None:
    for count in threads:
        set_threads(count)
        found["bandwidth"][str(count)] = copy_bandwidth(1 if quick else 256)


def _is_done(found: record.Json, case: Case, threads: Sequence[int]) -> bool:
    entry = found["cases"].get(case.name, {})
    here = record.provenance()["commit"]
    return entry.get("commit") == here and {str(count) for count in threads} <= set(entry.get("threads", {}))


if __name__ == "__main__":
    sys.exit(main())
