"""`torchstn reproduce EXPERIMENT`: trains what is missing of the paper's tables, and prints them."""

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from ..figures import read_results, results_table
from ..reproduce import (
    ALL,
    EXPERIMENTS,
    Cell,
    Job,
    Plan,
    Scheduler,
    Terminal,
    Whole,
    costs_path,
    costs_table,
    duration,
    in_all,
    measure,
    paper_numbers,
    presets,
    read_costs,
    read_costs_elsewhere,
    select,
    write_costs,
)
from .choices import flag, one_of
from .outputs import check_folder
from .plainly import FAILURE, INTERRUPTED, err, note, out, plainly, stop
from .train import option_names

_EXPERIMENTS = (*EXPERIMENTS, ALL)
_BEFORE = ("--threads", "--data-dir")
"""Options of a training that are options of this command too, and reach every training from there."""

Words = Mapping[Cell, tuple[str, ...]]
"""The cells to train, and the options that the training of each gets."""

Experiment = Annotated[
    str,
    typer.Argument(
        metavar="EXPERIMENT",
        callback=one_of(_EXPERIMENTS),
        help=f"{', '.join(_EXPERIMENTS)}. {ALL}: every experiment of the paper, house numbers and birds "
        "included, each under its usual preset; not readings and beyond.",
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN", help="Cells such as `r/st-cnn-*` or `mnist-addition/*`; may be given again."
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        callback=one_of(presets()),
        help=f"{', '.join(presets())}; default, what each recipe usually takes.",
    ),
]
Again = Annotated[
    bool, flag("--again", help="Also train what has a result of other settings than the preset's.")
]


@plainly
def reproduce(  # noqa: PLR0913, PLR0917  # each is an option of the command line
    experiment: Experiment,
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- OPTIONS]", help="After --: further options for every training."),
    ] = None,
    preset: Preset = None,
    seeds: Annotated[str, typer.Option(metavar="0,1,2", help="One training of each cell for each.")] = "0",
    only: Only = None,
    plan: Annotated[
        bool, flag("--plan", "--dry-run", help="Only say what there is to do and what it takes.")
    ] = False,
    costs: Annotated[
        bool, flag("--costs", help="Only measure what each cell costs, by a few steps of it.")
    ] = False,
    again: Again = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Cells side by side; default, as many as cores and memory hold."
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, metavar="N", help="Threads that each computes with.")] = 1,
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder of the data; default, where torchstn data get puts it."),
    ] = None,
    results: Annotated[Path, typer.Option(metavar="FOLDER", help="Where results are kept.")] = Path(
        "results"
    ),
    runs: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the runs go.")] = Path("runs"),
) -> None:
    """Train what is missing of the paper's tables, side by side, and print them with ours beside the paper's.

    What has a result is not trained again, nor, without --again, if its settings have changed; what was
    interrupted, by Ctrl-C, a kill or a power cut, goes on where it stopped. A training that fails does not
    stop the others.
    """
    cells = select(experiment, tuple(only or ()))
    usual = ("--threads", str(threads), *_checked(more or [], cells))
    words = {cell: usual if plan else _words(cell, preset, data_dir, usual) for cell in cells}
    if not plan:
        check_folder(results, "--results")
        check_folder(runs, "--runs")
    if costs:
        _measure(words, preset, threads, results)
        return
    made = _jobs(words, preset, _seeds(seeds), partial(Job, results=results, runs=runs, again=again))
    whole = Plan(made, threads, read_costs(costs_path(results)), read_costs_elsewhere(results))
    if plan:
        _show(whole, jobs)
        return
    failed = _train(whole, jobs or whole.side_by_side())
    _tables(experiment, preset, results)
    if failed:
        stop(f"{len(failed)} of the trainings failed: {', '.join(job.name for job in failed)}.", FAILURE)


def _checked(more: list[str], cells: Sequence[Cell]) -> list[str]:
    """The further options, unless they are something else, or a training would not know one of them."""
    if more and not more[0].startswith("-"):
        raise ValueError(
            f"{more[0]!r} is no option; options for every training come after --, such as -- --device cpu. "
            "For several patterns write --only before each."
        )
    names = [word.partition("=")[0] for word in more if word.startswith("--")]
    if ours := [name for name in names if name in _BEFORE]:
        raise ValueError(f"{ours[0]} must come before --, since the plan and the costs depend on it.")
    for recipe in dict.fromkeys(cell.recipe for cell in cells):
        known = option_names(recipe)
        if unknown := [name for name in names if name not in known]:
            raise ValueError(
                f"{unknown[0]} is no option of torchstn train {recipe}, whose --help lists them; what comes "
                "after -- goes to every training."
            )
    return more


def _words(cell: Cell, preset: str | None, data_dir: Path | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    """The options that a training gets."""
    folder = cell.find_data(data_dir, preset or cell.usual_preset)
    return usual if folder is None else (*usual, "--data-dir", str(folder))


def _seeds(text: str) -> list[int]:
    try:
        return list(dict.fromkeys(int(word) for word in text.split(",")))
    except ValueError:
        raise ValueError(f"--seeds must be whole numbers as 0,1,2; got {text!r}.") from None


def _jobs(
    words: Words, preset: str | None, seeds: Sequence[int], make: Callable[..., Job]
) -> tuple[Job, ...]:
    """One training of each cell for each seed."""
    return tuple(
        make(cell, preset or cell.usual_preset, seed, more=more)
        for seed in seeds
        for cell, more in words.items()
    )


def _measure(words: Words, preset: str | None, threads: int, results: Path) -> None:
    """Measures cell after cell, keeping each as it comes, and prints the table."""
    path = costs_path(results)
    for cell in track(words, "Measuring", console=err, disable=not err.is_terminal, transient=True):
        usual = preset or cell.usual_preset
        cost = measure(cell, usual, threads, words[cell])
        whole = cost.left(cell.config(usual, more=words[cell]))
        write_costs(path, read_costs(path).with_(cost))
        note(
            f"{cell.recipe} {cell.name}: {cost.of_an_epoch:.3g} s for 60,000 images, {duration(whole)} in all"
        )
    typer.echo(costs_table([read_costs(path)]), nl=False)
    note(f"Wrote {path}")


def _show(plan: Plan, jobs: int | None) -> None:
    """Prints what there is to do."""
    table = Table(header_style="bold")
    several = len({job.cell.recipe for job in plan.jobs}) > 1
    for name in (*(["recipe"] if several else []), "cell", "seed", "state", "to go"):
        # Of all columns the one that can be long gives way to a narrow terminal, and loses nothing.
        long = name == "state"
        table.add_column(name, no_wrap=not long, overflow="fold", min_width=12 if long else None)
    for job in plan.jobs:
        named = [job.cell.recipe] if several else []
        table.add_row(*named, job.cell.name, str(job.seed), _state(job), _left(plan, job))
    out.print(table)
    for job in plan.jobs:
        if job.changes:
            out.print(f"{job.name} was trained with {'; '.join(job.changes)}.")
    whole = in_all(plan, plan.to_do)
    out.print(
        f"{len(plan.jobs) - len(plan.to_do)} of {len(plan.jobs)} done. To go: {_to_go(whole)}; "
        f"{jobs or plan.side_by_side()} side by side, with --threads {plan.threads} each."
    )
    if sources := dict.fromkeys(guess.source for guess in whole.guesses):
        out.print(f"~ is what it took on {'; on '.join(sources)}.")


def _left(plan: Plan, job: Job) -> str:
    """How long a job takes, a guess with a tilde; nothing if it is done or nobody knows."""
    left = plan.left(job)
    if left is None or not left.seconds:
        return ""
    return f"{'~' if left.source else ''}{duration(left.seconds)}"


def _to_go(whole: Whole) -> str:
    parts = []
    if whole.seconds or not (whole.guesses or whole.unknown):
        parts.append(f"{duration(whole.seconds)} of one process")
    if whole.guesses:
        seconds = duration(sum(guess.seconds for guess in whole.guesses))
        parts.append(f"~{seconds} of {_trainings(len(whole.guesses))} not measured here (--costs does)")
    if whole.unknown:
        parts.append(f"{_trainings(whole.unknown)} that nobody has measured (--costs does)")
    return ", and ".join(parts)


def _trainings(count: int) -> str:
    return f"{count} training" + ("" if count == 1 else "s")


def _state(job: Job) -> str:
    record = job.record
    if record is not None:
        paper = "" if record["paper"] is None else f" (paper {record['paper']:g})"
        other = ", of other settings" if job.changes else ""
        return f"{record['value']:.2f}{paper}{other}"
    if job.changes:
        return "to do again"
    if not job.is_started:
        return "to do"
    seen = job.progress()
    return f"at step {seen.step:,}" + (f" of {seen.steps:,}" if seen.steps else "")


def _train(plan: Plan, side_by_side: int) -> list[Job]:
    """Trains what has no result yet; gives what failed."""
    to_do = plan.to_do
    note(f"{len(plan.jobs) - len(to_do)} of {len(plan.jobs)} are done; training {side_by_side} at a time.")
    if changed := [job.name for job in plan.jobs if job.record is not None and job.changes]:
        note(f"Trained with other settings than the preset's (--again trains them): {', '.join(changed)}.")
    try:
        with Terminal(len(to_do), side_by_side, plan.left, err) as view:
            return Scheduler(to_do, side_by_side, plan.threads, view).run().failed
    except KeyboardInterrupt:
        again = shlex.join(["torchstn", *sys.argv[1:]])
        note(f"\nStopped; what ran goes on where it stopped. Go on with: {again}")
        raise typer.Exit(INTERRUPTED) from None


def _tables(experiment: str, preset: str | None, results: Path) -> None:
    """Prints the paper's tables with what is there of ours."""
    cells = select(experiment)
    papers = paper_numbers(cells)
    wanted = {(cell.recipe, preset or cell.usual_preset, cell.name) for cell in cells}
    here = [one for one in read_results(results) if (one.recipe, one.preset, one.cell) in wanted]
    typer.echo(results_table(here, papers), nl=False)
