"""`torchstn evaluate RUN`: how often it errs on the test samples made once and for all."""

import json
from pathlib import Path
from typing import Annotated

import typer

from .choices import flag
from .plainly import out, plainly

_MANY = 20
"""More classes than this are not shown one by one."""


@plainly
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished training.")],
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder of the data; default, where the run found it."),
    ] = None,
    as_json: Annotated[bool, flag("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """Judge a trained network by the fixed test set of its experiment, the same for every network.

    Of transformers before digits also: how much of the variance between pictures is explained by which
    digit they show, before and after. The straighter the digits, the more; the channel in which a transformer
    raises it is the one it has settled on. Of digits in space also: from which side they are seen, how far
    turned and how far off the middle, before and after. Of house numbers: how often those of each length are
    misread. Of birds: how much of their heads and bodies each transformer has in its box.
    """
    from ..recipes.finished import evaluate as judge
    from ..training import Run
    from .report import (
        confusion_table,
        length_table,
        mistakes_table,
        parts_table,
        straightness_table,
        view_table,
    )

    score = judge(run, data_dir=data_dir)
    if as_json:
        typer.echo(json.dumps(score))
        return
    wrong = round(score["error"] * score["count"] / 100)
    table = confusion_table if len(score["confusion"]) <= _MANY else mistakes_table
    out.print(table(score["confusion"], Run(run).classes))
    if "straight_after" in score:
        out.print(straightness_table(score["straight_before"], score["straight_after"]))
    if "by_length" in score:
        out.print(length_table(score["by_length"]))
    if "parts" in score:
        out.print(parts_table(score["parts"]))
    if "view" in score:
        out.print(view_table(score["view"]))
    out.print(f"Error: [bold]{score['error']:.2f} %[/] ({wrong:,} of {score['count']:,})")
