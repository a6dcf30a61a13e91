"""What a run on digits makes of picture files: a digit of each, or of several together their sum."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import typer
from rich.markup import escape
from rich.table import Table
from torch import Tensor

from ..figures import save_figure
from ..recipes.finished import Finished
from .drawings import Sheet, drawing_of
from .images import read_digit
from .looking import look
from .plainly import FAILURE, err, out, sentence

Group = tuple[Path, ...]


def predict_digits(
    finished: Finished,
    images: Sequence[Path],
    *,
    invert: bool | None,
    whole: bool,
    to: Path | None,
    as_json: bool,
) -> None:
    """Names the digits, draws them if asked to, and says what is wrong with a file that cannot be read.

    Raises:
        ValueError: If the run reads no pictures, or so many together that some are left over.
    """
    recipe, config, model = finished
    channels, *size = recipe.shape(config)
    if recipe.digits_shown is None or len(size) != 2:
        raise ValueError(f"A run of {recipe.name} does not read picture files.")
    height, width = size
    if len(images) % channels:
        raise ValueError(f"{recipe.name} reads {channels} pictures at a time, got {len(images)}.")
    groups = [tuple(images[k : k + channels]) for k in range(0, len(images), channels)]
    canvases = [_read(group, (height, width), invert, whole) for group in groups]
    read = [(group, canvas) for group, canvas in zip(groups, canvases, strict=True) if canvas is not None]
    if read:
        seen = look(model, torch.stack([canvas for _, canvas in read]))
        _tell([group for group, _ in read], seen.probabilities.tolist(), recipe.answer, as_json)
        if to is not None:
            out.print(f"Saved {save_figure(drawing_of(recipe.name).samples(config, Sheet(seen)), to)}")
    if len(read) < len(groups):
        raise typer.Exit(FAILURE)


def _read(group: Group, size: tuple[int, int], invert: bool | None, whole: bool) -> Tensor | None:
    """The pictures as channels of one; None, what is wrong being said, if one cannot be read."""
    try:
        return torch.cat([read_digit(path, size, invert=invert, whole=whole) for path in group])
    except ValueError as refusal:
        err.print(f"[bold red]Error:[/] {escape(sentence(refusal))}")
        return None


def _tell(groups: list[Group], probabilities: list[list[float]], answer: str, as_json: bool) -> None:
    if as_json:
        rows = [
            _named(group) | {answer: row.index(max(row)), "probabilities": [round(p, 6) for p in row]}
            for group, row in zip(groups, probabilities, strict=True)
        ]
        typer.echo(json.dumps(rows))
        return
    table = Table(header_style="bold")
    table.add_column("image", overflow="fold")
    for name in (answer, "sure", "or else"):
        table.add_column(name, justify="right")
    for group, row in zip(groups, probabilities, strict=True):
        first, second = sorted(range(len(row)), key=lambda k: -row[k])[:2]
        table.add_row(
            escape(" + ".join(map(str, group))),
            f"[bold]{first}[/]",
            f"{row[first]:.1%}",
            f"[dim]{second} ({row[second]:.1%})[/]",
        )
    out.print(table)


def _named(group: Group) -> dict[str, Any]:
    return {"image": str(group[0])} if len(group) == 1 else {"images": [str(path) for path in group]}
