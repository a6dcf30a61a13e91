"""`torchstn predict` of a run on a user's own pictures: files and folders of any length."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from ..data.picture_folder import list_files
from ..recipes.finished import load_run
from ..recipes.images.using import Answer, Refusal, answers, described
from ..training import Run
from .plainly import FAILURE, err, out
from .scanning import scanning
from .sweep import Sweep, device, is_alone


def predict_images(
    run: Path, given: Sequence[Path], *, as_json: bool, boxes: bool, save: Path | None
) -> None:
    """Names the class of pictures; a table, JSON on the standard output, or JSON in a file.

    Args:
        run: A finished run of the recipe images.
        given: Pictures, and folders of them.
        as_json: Print JSON.
        boxes: Say also where each transformer looked.
        save: A file for the JSON. Then several processes share the work, and what was broken off is resumed.

    Raises:
        ValueError: If the run is not finished, there is nothing to read, or several processes have no file.
    """
    if save is None and not is_alone():
        raise ValueError("several processes need one file for what they find; name it by --save JSON.")
    files = files_of(given)
    _, config, model = load_run(run)
    classes = Run(run).classes
    purpose = {"weights": stamp(run), "boxes": boxes}
    sweep = None if save is None else Sweep(save, files, purpose)
    rows: list[dict[str, Any]] = []
    left = files if sweep is None else sweep.left
    with scanning("predicting") as progress:
        for count, answer in enumerate(answers(model.to(device()), config, Path(), left), 1):
            rows.append(row_of(answer, classes, config.size, boxes=boxes))
            if sweep is not None:
                sweep.add(rows[-1])
            progress(count, len(left))
    whole = rows if sweep is None else sweep.finish()
    if whole is not None:
        _tell(whole, as_json, save)


def row_of(answer: Answer | Refusal, classes: Sequence[str], side: int, *, boxes: bool) -> dict[str, Any]:
    """What JSON says of a file."""
    if isinstance(answer, Refusal):
        return {"file": answer.file, "error": answer.why}
    return described(answer, classes, side, boxes=boxes)


def files_of(given: Sequence[Path]) -> list[str]:
    """The files named, and those in the folders named.

    Raises:
        ValueError: If there are none.
    """
    files: list[str] = []
    for path in given:
        files += [str(path / name) for name in list_files(path)] if path.is_dir() else [str(path)]
    if not files:
        raise ValueError(f"there is no file in {', '.join(map(str, given))}.")
    return list(dict.fromkeys(files))


def stamp(run: Path) -> str:
    """What tells the weights of a run from those of another."""
    status = (run / "model.safetensors").stat()
    return f"{run.resolve()} {status.st_size} {status.st_mtime_ns}"


def _tell(rows: Sequence[dict[str, Any]], as_json: bool, save: Path | None) -> None:
    broken = [row for row in rows if "error" in row]
    for row in broken:
        err.print(f"[bold red]Error:[/] {escape(row['error'])}")
    if save is not None:
        out.print(
            f"Saved {escape(str(save))}: {len(rows) - len(broken)} images, {len(broken)} that cannot be read"
        )
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    elif save is None:
        out.print(_table([row for row in rows if "error" not in row]))
    if broken:
        raise typer.Exit(FAILURE)


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(header_style="bold")
    table.add_column("image", overflow="fold")
    for name in ("class", "sure", "or else", "looks at (x0, y0, x1, y1)"):
        if name[0] != "l" or any(row.get("views") for row in rows):
            table.add_column(name, justify="right")
    for row in rows:
        order = sorted(row["probabilities"].items(), key=lambda item: -item[1])
        second, less = order[1]
        cells = [escape(row["file"]), f"[bold]{escape(row['class'])}[/]", f"{row['probability']:.1%}"]
        cells.append(f"[dim]{escape(second)} ({less:.1%})[/]")
        boxes = ["  ".join(f"{edge:.0f}" for edge in view["box"]) for view in row.get("views", ())]
        table.add_row(*cells, *(["\n".join(boxes)] if boxes else []))
    return table
