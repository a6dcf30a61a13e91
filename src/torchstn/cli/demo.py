"""`torchstn demo`: a spatial transformer learns to straighten handwritten digits, in a few minutes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .choices import Threads
from .outputs import check_folder
from .plainly import INTERRUPTED, note, out, plainly

MODELS = ("cnn", "st-cnn")
_SHOWN = {
    "digits.png": "what goes in, the grid it chose, what comes out, what it says",
    "boxes.png": "where the transformer looks",
    "means.png": "the mean digit of each class before and after the transformer",
    "curves.png": "how the training went",
    "film.gif": "what it does to the same digits as it learns",
}


@plainly
def demo(
    to: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Where the trainings and the pictures go.")
    ] = Path("demo"),
    seed: Annotated[int, typer.Option(min=0, help="Of the weights and of the digits' distortions.")] = 0,
    iterations: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Train for so many steps in place of the preset's.")
    ] = None,
    threads: Threads = 0,
) -> None:
    """Watch a spatial transformer learn to straighten real handwritten digits.

    Two networks with the same number of parameters learn to read 4,000 turned, scaled and shifted digits,
    one plainly and one through a spatial transformer. Nothing is downloaded.
    """
    from ..recipes.distorted_mnist import make_config
    from ..recipes.supervised import train
    from .film import Film
    from .pictures import draw_run
    from .report import result_table

    check_folder(to)
    note("Two networks learn to read distorted digits: cnn is a plain one, st-cnn has a transformer.")
    records: list[dict[str, Any]] = []
    try:
        for model in MODELS:
            config = make_config(
                "RTS",
                model,
                "affine",
                "demo",
                seed=seed,
                iterations=iterations,
                threads=threads,
                checkpoint_seconds=5.0,
            )
            film = Film(config, to / model) if config.has_transformer else None
            take = film.take if film else None
            records.append(train(config, to / model, resume=True, listener=take))
    except ValueError as refusal:
        raise ValueError(f"{refusal} Delete the folder {to}, or name another with --out.") from refusal
    except KeyboardInterrupt:
        note(f"\nStopped. Go on with: torchstn demo --out {to}")
        raise typer.Exit(INTERRUPTED) from None
    out.print(result_table(records))
    drawn = draw_run(to / "st-cnn", to)
    if film is not None:
        drawn.append(film.save(to / "film.gif"))
    for path in drawn:
        out.print(f"{path}: {_SHOWN[path.name]}")
