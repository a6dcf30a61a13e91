"""`torchstn results`: the tables of README and documentation, made from the trained cells."""

from pathlib import Path
from typing import Annotated

import typer

from ..figures.results import Result
from ..figures.results_table import Papers
from .choices import flag
from .plainly import FAILURE, out, plainly, stop


@plainly
def results(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Holds RECIPE/PRESET/CELL/seed-K.json.")
    ] = Path("results"),
    details: Annotated[bool, flag("--details", help="One row a run, with commit and command.")] = False,
    claims: Annotated[
        bool, flag("--claims", help="One row a claim of the paper: does it hold of ours?")
    ] = False,
    costs: Annotated[
        bool, flag("--costs", help="What each cell costs, where torchstn reproduce has measured it.")
    ] = False,
    write: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            metavar="FILE",
            help="Put the tables between the markers of this file; may be given again.",
        ),
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            metavar="FILE",
            help="Only say whether the tables in this file are up to date; may be given again.",
        ),
    ] = None,
) -> None:
    """Print the results as a markdown table, the paper's numbers beside ours.

    With --write the summary goes between `<!-- results:begin -->` and `<!-- results:end -->` of a file, and
    so do those of one recipe, or another table, where `results-RECIPE` or
    `results-` with readings, beyond, settled, view, parts, details, claims or costs stands for `results`.
    """
    from ..training import atomic_write

    if not folder.is_dir():
        raise ValueError(
            f"FOLDER must be a folder of results, such as torchstn reproduce fills, got {folder}."
        )
    tables = _tables(folder)
    if not write and not check:
        asked = {"results-details": details, "results-claims": claims, "results-costs": costs}
        chosen = [tables[name] for name, wanted in asked.items() if wanted]
        typer.echo("\n".join(chosen or [tables["results"]]), nl=False)
    for path in write or []:
        text = path.read_text(encoding="utf-8")
        atomic_write(path, filled(text, tables, path))
        out.print(f"Wrote {path}")
    stale = [
        path for path in check or [] if filled(text := path.read_text(encoding="utf-8"), tables, path) != text
    ]
    if stale:
        names = ", ".join(map(str, stale))
        stop(f"the tables in {names} are out of date; run torchstn results --write {stale[0]}.", FAILURE)


def _tables(folder: Path) -> dict[str, str]:
    """Every table there is, by the name of its markers."""
    from ..figures import (
        claims_table,
        details_table,
        parts_table,
        read_results,
        results_table,
        settled_table,
        view_table,
    )
    from ..reproduce import EXPERIMENTS, beside, costs_paths, costs_table, paper_numbers, read_costs, select

    found = read_results(folder)
    measured = [read_costs(path) for path in costs_paths(folder)]
    papers = paper_numbers(select("all"))
    readings = EXPERIMENTS["readings"]
    compared = paper_numbers([*beside(readings), *readings])

    def of(these: Papers) -> list[Result]:
        return [one for one in found if one.cell in these.get(one.recipe, {})]

    def table(these: Papers) -> str:
        return results_table(of(these), these)

    # Without a reading beside it, a cell of the paper's tables says nothing about readings.
    read = {(one.recipe, one.preset) for one in of(paper_numbers(readings))}
    held_against = [one for one in of(compared) if (one.recipe, one.preset) in read]

    return {f"results-{recipe}": table({recipe: papers[recipe]}) for recipe in papers} | {
        "results": table(papers),
        "results-readings": results_table(held_against, compared),
        "results-beyond": table(paper_numbers(EXPERIMENTS["beyond"])),
        "results-settled": settled_table(found),
        "results-view": view_table(found),
        "results-parts": parts_table(found),
        "results-details": details_table(found),
        "results-claims": claims_table(found),
        "results-costs": costs_table(measured),
    }


def filled(text: str, tables: dict[str, str], path: Path) -> str:
    """The text with every marked block replaced by its table.

    Raises:
        ValueError: If the file has no marked block, or one that does not end.
    """
    marked = [name for name in tables if f"<!-- {name}:begin -->" in text]
    if not marked:
        raise ValueError(f"{path} must hold <!-- results:begin --> and <!-- results:end -->, and does not.")
    for name in marked:
        head, begin, rest = text.partition(f"<!-- {name}:begin -->")
        _, end, tail = rest.partition(f"<!-- {name}:end -->")
        if not end:
            raise ValueError(f"{path}: <!-- {name}:begin --> is not followed by <!-- {name}:end -->.")
        text = f"{head}{begin}\n\n{tables[name]}\n{end}{tail}"
    return text
