"""`torchstn predict` of a run on house numbers: what number does a picture show?"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import typer
from rich.markup import escape
from rich.table import Table
from torch import Tensor

from ..data.pictures import read_picture
from ..data.svhn import Box, crop
from ..figures import paper_figure, save_figure
from ..recipes.finished import Finished
from ..recipes.svhn.augmentation import normalised
from ..sampler import sample
from .house_numbers import codes_of, products, words_of
from .plainly import FAILURE, err, out, sentence


class Read(NamedTuple):
    """What a network reads: the number, and how sure it is of all its digits together."""

    number: str
    sure: float


def predict_numbers(finished: Finished, images: Sequence[Path], *, as_json: bool, to: Path | None) -> None:
    """Reads the number of each picture, taken as a whole for a crop around it, and tells.

    Args:
        finished: The run.
        images: The files. One that cannot be read is named, and the program ends with 1 after the others.
        as_json: Print JSON in place of a table.
        to: A picture to draw of inputs, the product of all transformers, and what it reads.
    """
    read = [(path, square) for path in images if (square := _square(path, finished.config.side)) is not None]
    if read:
        paths, squares = [path for path, _ in read], torch.stack([square for _, square in read])
        found = _read(finished, squares)
        _tell(paths, found, as_json)
        if to is not None:
            out.print(f"Saved {_draw(finished, squares, found, to)}")
    if len(read) < len(images):
        raise typer.Exit(FAILURE)


def _square(path: Path, side: int) -> Tensor | None:
    """A picture as a crop, uint8 (3, side, side); None, what is wrong being said, if it cannot be read."""
    try:
        picture = read_picture(path)
    except ValueError as refusal:
        err.print(f"[bold red]Error:[/] {escape(sentence(refusal))}")
        return None
    return crop(picture, Box(0, 0, picture.shape[2], picture.shape[1]), 1.0, side)


@torch.no_grad()
def _read(finished: Finished, squares: Tensor) -> list[Read]:
    sure, digits = finished.model(normalised(squares)).softmax(-1).max(-1)
    return [
        Read(words_of(code), share)
        for code, share in zip(codes_of(digits).tolist(), sure.prod(1).tolist(), strict=True)
    ]


def _tell(paths: Sequence[Path], found: Sequence[Read], as_json: bool) -> None:
    if as_json:
        rows = [
            {"image": str(path), "number": one.number, "probability": round(one.sure, 6)}
            for path, one in zip(paths, found, strict=True)
        ]
        typer.echo(json.dumps(rows))
        return
    table = Table(header_style="bold")
    table.add_column("image", overflow="fold")
    for name in ("number", "sure"):
        table.add_column(name, justify="right")
    for path, one in zip(paths, found, strict=True):
        table.add_row(escape(str(path)), f"[bold]{one.number}[/]", f"{one.sure:.1%}")
    out.print(table)


def _draw(finished: Finished, squares: Tensor, found: Sequence[Read], to: Path) -> Path:
    pictures, grids = squares.float() / 255, products(finished.model, normalised(squares))
    last = grids[-1] if grids else None
    output = None if last is None else sample(pictures, last)
    return save_figure(paper_figure(pictures, last, output, [one.number for one in found], cells=1), to)
