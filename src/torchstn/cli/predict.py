"""`torchstn predict RUN IMAGE...`: what digit is this?"""

import json
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.markup import escape
from rich.table import Table
from torch import Tensor

from .plainly import FAILURE, err, out, plainly, sentence

Group = tuple[Path, ...]


@plainly
def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished training.")],
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Pictures, in any format; of your own classes also folders."),
    ],
    invert: Annotated[
        bool | None,
        typer.Option(
            "--invert/--no-invert",
            help="Ink is darker (or lighter) than the ground; default, the border tells.",
        ),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Keep the whole picture in place of cropping to the digit.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option("--out", metavar="PNG", help="Also draw input, grid and output of each.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    boxes: Annotated[
        bool, typer.Option("--boxes", help="Of your own classes: say where each transformer looked.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="JSON",
            help="Of your own classes: a file for what is found; several processes can then share the work.",
        ),
    ] = None,
) -> None:
    """Name what any picture file shows: your own classes, a digit, the digits of a sum, a house number.

    A run on your own images names every image of folders. A run on digits reads one digit of each picture: a
    photograph, a scan, a drawing; of sums two pictures at a time. A picture of the size the network was
    trained on is taken as it is; any other is made grey, white on black, cropped to its ink and scaled as
    MNIST's digits are. A run on house numbers reads one in each picture, cropped to a little more than it.
    """
    from ..figures import save_figure
    from ..recipes.finished import load_run
    from ..recipes.images import RECIPE as IMAGES
    from ..recipes.svhn import RECIPE as HOUSE_NUMBERS
    from ..training import Run
    from .drawings import Sheet, drawing_of
    from .images_predicting import predict_images
    from .looking import look
    from .numbers_predicting import predict_numbers

    if Run(run).config.get("recipe") == IMAGES.name:
        if invert is not None or whole or to is not None:
            raise ValueError("--invert, --whole and --out are for runs on digits; this one is on images.")
        predict_images(run, images, as_json=as_json, boxes=boxes, save=save)
        return
    if boxes or save is not None:
        raise ValueError("--boxes and --save are for runs on images; this one is not.")
    recipe, config, model = finished = load_run(run)
    if recipe.name == HOUSE_NUMBERS.name:
        if invert is not None or whole:
            raise ValueError("--invert and --whole are for runs on digits; this one is on house numbers.")
        predict_numbers(finished, images, as_json=as_json, to=to)
        return
    if recipe.canvas is None:
        raise ValueError(f"{run} is a run of {recipe.name}, which does not read picture files.")
    channels, height, width = recipe.canvas(config)
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
    from .images import read_digit

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
