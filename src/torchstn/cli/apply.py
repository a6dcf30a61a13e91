"""`torchstn apply RUN FOLDER OUT`: what the transformers of a run make of pictures, as pictures."""

from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from .outputs import check_folder
from .plainly import FAILURE, err, out, plainly

if TYPE_CHECKING:
    from torch import Tensor


@plainly
def apply(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished training on images.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Images, in subfolders or not.")],
    to: Annotated[Path, typer.Argument(metavar="OUT", help="Where the crops go.")],
    size: Annotated[
        int | None,
        typer.Option(min=8, max=4096, metavar="N", help="Side of a crop; default, what the network sees."),
    ] = None,
) -> None:
    """Write what the transformers of a run look at: a straightened crop of each image, and where it was.

    A crop is read from the image's own pixels and keeps the image's name, with -1, -2 and so on where there
    are several transformers. OUT/crops.json says of each its corners and box, in pixels of the image, and
    the class. Started again it goes on where it was broken off; started by torchrun, the processes share
    the work. A file that cannot be read is named; the exit status is 1 after all others.
    """
    from ..data.picture_folder import list_files
    from ..recipes.finished import load_run
    from ..recipes.images import Config
    from ..recipes.images.using import Refusal, answers, straightened
    from ..training import Run, atomic_write
    from .images_predicting import row_of, stamp
    from .scanning import scanning
    from .sweep import Sweep, device

    files = list_files(folder)
    if not files:
        raise ValueError(f"{folder}: there is no file in it.")
    if to.resolve() == folder.resolve() or folder.resolve() in to.resolve().parents:
        raise ValueError(f"OUT must lie outside FOLDER, whose files are read, got {to}.")
    check_folder(to, "OUT")
    _, config, model = load_run(run)
    if not isinstance(config, Config) or config.transform == "none":
        raise ValueError(f"{run} is no training on images with a transformer; there is nothing to crop.")
    classes, side = Run(run).classes, size or config.seen
    to.mkdir(parents=True, exist_ok=True)
    sweep = Sweep(to / "crops.json", files, {"weights": stamp(run), "size": side, "folder": folder.resolve()})
    with scanning("cropping") as progress:
        for count, answer in enumerate(answers(model.to(device()), config, folder, sweep.left), 1):
            row = row_of(answer, classes, config.size, boxes=True)
            if not isinstance(answer, Refusal):
                crops = straightened(answer, config, folder / answer.file, side)
                for number, (crop, view) in enumerate(zip(crops, row["views"], strict=True), 1):
                    view["crop"] = _name(answer.file, number if len(crops) > 1 else None)
                    atomic_write(to / view["crop"], _png(crop))
            sweep.add(row)
            progress(count, len(sweep.left))
    rows = sweep.finish()
    if rows is None:
        return
    broken = [row["error"] for row in rows if "error" in row]
    for why in broken:
        err.print(f"[bold red]Error:[/] {escape(why)}")
    out.print(f"Saved {escape(str(to))}: crops of {len(rows) - len(broken)} images, and crops.json")
    if broken:
        raise typer.Exit(FAILURE)


def _name(file: str, number: int | None) -> str:
    """The crop's, its whole name kept: 1.jpg and 1.png may lie side by side."""
    path = PurePosixPath(file)
    return str(path.with_name(f"{path.name}{'' if number is None else f'-{number}'}.png"))


def _png(crop: "Tensor") -> bytes:
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(crop.permute(1, 2, 0).contiguous().numpy()).save(buffer, "PNG")
    return buffer.getvalue()
