"""`torchstn co-localise FOLDER`: where is what the images of a folder share?"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .choices import Threads
from .outputs import check_folder
from .plainly import note, out, plainly, sentence

if TYPE_CHECKING:
    from torch import Tensor

_HIDDEN = 32
"""Colours and backgrounds ask more of the localisation network than digits on black."""
_GROWTH = 1.7
"""Photographs show a thing in more sizes than digits come in."""


@plainly
def co_localise(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Images that share an object, of any size and format.")
    ],
    to: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Where the results go; default, one beside it."),
    ] = None,
    encoder: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="How crops are compared: appearance (edges and colours), or timm:NAME, a network of timm.",
        ),
    ] = "appearance",
    seed: Annotated[int, typer.Option(min=0, help="Another seed looks from other starts.")] = 0,
    attempts: Annotated[int | None, typer.Option(min=1, metavar="N", help="Starts to try.")] = None,
    iterations: Annotated[int | None, typer.Option(min=1, metavar="N", help="Steps of each.")] = None,
    threads: Threads = 0,
) -> None:
    """Find what the images of a folder have in common, without a label, and draw a box around it.

    Writes boxes.json (file, box in its pixels, loss), boxes.png (every image with its box, and what is in
    it). It looks for one thing, once in each image, upright, its square box between a fifth and nearly
    three fifths of the longer side.
    """
    import torch

    from ..figures import located_figure, save_figure
    from ..recipes.co_localisation import Optimisation, find_shared
    from ..training import atomic_write
    from .images import fit_square

    place = to or folder.parent / f"{folder.resolve().name}-co-localised"
    check_folder(place)
    if threads:
        torch.set_num_threads(threads)
    images, skipped = _read(folder)
    squares, frames = zip(*(fit_square(image) for _, image in images), strict=True)
    choices = Optimisation.make(
        "quick", seed=seed, attempts=attempts, iterations=iterations, hidden=_HIDDEN, growth=_GROWTH
    )
    with tempfile.TemporaryDirectory() as scratch:
        shared = find_shared(torch.stack(squares), frames, choices, Path(scratch), encoder=encoder)
    rows = [
        {"file": path.name, "box": [round(x, 1) for x in box], "loss": round(loss, 4)}
        for (path, _), box, loss in zip(images, shared.boxes.tolist(), shared.losses.tolist(), strict=True)
    ]
    record = {"encoder": encoder, "seed": seed, "images": rows, "skipped": skipped}
    atomic_write(place / "boxes.json", json.dumps(record, indent=2) + "\n")
    figure = located_figure(
        [image for _, image in images], shared.boxes, shared.crops, _short([path for path, _ in images])
    )
    out.print(f"Saved {save_figure(figure, place / 'boxes.png')}")
    out.print(f"Saved {place / 'boxes.json'}: a box in each of {len(rows)} images")


def _read(folder: Path) -> "tuple[list[tuple[Path, Tensor]], list[dict[str, str]]]":
    """The images that can be read, and what is said of the other files."""
    from ..data import read_picture

    paths = _files(folder)
    images: list[tuple[Path, Tensor]] = []
    skipped: list[dict[str, str]] = []
    for path in paths:
        try:
            images.append((path, read_picture(path) / 255))
        except ValueError as refusal:
            skipped.append({"file": path.name, "why": sentence(refusal)})
            note(f"Skipped {sentence(refusal)}")
    if len(images) < 2:
        nested = any(path.is_dir() for path in folder.iterdir())
        raise ValueError(
            f"{folder} must hold at least two images that share something; {len(images)} of its {len(paths)} "
            f"files can be read{'. Subfolders are not searched: name one of them' if nested else ''}."
        )
    return images, skipped


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"{folder}: this is not a folder; name one that holds the images.")
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _short(paths: Sequence[Path], most: int = 24) -> list[str]:
    names = [path.name for path in paths]
    return [name if len(name) <= most else f"{name[: most - 1]}…" for name in names]
