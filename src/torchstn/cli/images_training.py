"""`torchstn train images FOLDER`: a classifier of the user's own pictures, and its report."""

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from ..recipes.images import Config, Pictures
from ..training import Run
from .plainly import is_main_process, note, out
from .scanning import scanning
from .settings import ResultsFolder, Resume, RunFolder
from .training import folder_for, run_training


def images(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Holds a subfolder of images for each class; or any images, with --labels."
        ),
    ],
    to: RunFolder = None,
    resume: Resume = False,
    results: ResultsFolder = None,
    **settings: Any,
) -> None:
    """Train on your own images: which class is it, and where is that to be seen?

    Images may be of any size and kind; what cannot be read is named and left out. A share of each class is
    held out to judge by. The run is a folder: settings, metrics, weights, result, and report.html. It can be
    stopped at any moment; the same command with --resume goes on, and ends exactly where it would have ended.
    """
    from ..recipes.images.recipe import RECIPE
    from .images_report import write_report
    from .images_watching import Looks

    settings["data_dir"] = RECIPE.find_data(folder, settings["preset"])
    config = Config.make(**settings)
    place = folder_for(config, to, resume, results)
    with scanning("reading images") as progress:
        pictures = Pictures.load(config, note, progress)
    note(
        f"{len(pictures.learnt)} images to train on, {len(pictures.held)} to judge by, of "
        f"{len(pictures.classes)} classes: {', '.join(pictures.classes[:12])}"
        f"{' ...' if len(pictures.classes) > 12 else ''}"
    )
    looks = Looks(config, pictures, place) if is_main_process() and Run(place).result is None else None
    run_training(config, place, resume, results, listener=looks.take if looks else None, samples=pictures)
    if is_main_process():
        out.print(f"Saved {write_report(place, config, pictures)}")
        out.print(f"Use it: torchstn predict {shlex.quote(str(place))} IMAGES")
