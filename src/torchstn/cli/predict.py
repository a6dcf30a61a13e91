"""`torchstn predict RUN IMAGE...`: what digit is this?"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from .plainly import FAILURE, err, out, plainly, sentence


@plainly
def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished training.")],
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Pictures of one digit each, in any format.")
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
) -> None:
    """Name the digit in any picture file: a photograph, a scan, a drawing.

    A picture of the size the network was trained on is taken as it is. Any other is made grey, white on
    black, cropped to its ink and scaled as MNIST's digits are.
    """
    import torch

    from ..data import DISTORTIONS
    from ..recipes.finished import load_run
    from .images import read_digit
    from .looking import look

    _, config, model = load_run(run)
    read = []
    for path in images:
        try:
            read.append(
                (path, read_digit(path, DISTORTIONS[config.distortion].size, invert=invert, whole=whole))
            )
        except ValueError as refusal:
            err.print(f"[bold red]Error:[/] {escape(sentence(refusal))}")
    if read:
        seen = look(model, torch.stack([image for _, image in read]))
        _tell([path for path, _ in read], seen.probabilities.tolist(), as_json)
        if to is not None:
            _draw(seen, to)
    if len(read) < len(images):
        raise typer.Exit(FAILURE)


def _tell(paths: list[Path], probabilities: list[list[float]], as_json: bool) -> None:
    if as_json:
        rows = [
            {"image": str(path), "digit": row.index(max(row)), "probabilities": [round(p, 6) for p in row]}
            for path, row in zip(paths, probabilities, strict=True)
        ]
        typer.echo(json.dumps(rows))
        return
    table = Table(header_style="bold")
    table.add_column("image", overflow="fold")
    for name in ("digit", "sure", "or else"):
        table.add_column(name, justify="right")
    for path, row in zip(paths, probabilities, strict=True):
        first, second = sorted(range(len(row)), key=lambda k: -row[k])[:2]
        table.add_row(
            escape(str(path)),
            f"[bold]{first}[/]",
            f"{row[first]:.1%}",
            f"[dim]{second} ({row[second]:.1%})[/]",
        )
    out.print(table)


def _draw(seen: Any, path: Path) -> None:
    from ..figures import paper_figure, save_figure

    figure = paper_figure(seen.images, seen.grids[0] if seen.grids else None, seen.outputs, seen.predictions)
    out.print(f"Saved {save_figure(figure, path)}")
