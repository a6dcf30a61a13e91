"""`torchstn show RUN`: the paper's figure."""

from pathlib import Path
from typing import Annotated

import typer

from .choices import flag
from .outputs import check_folder
from .plainly import out, plainly


@plainly
def show(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished training.")],
    to: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Where the pictures go; default, figures in the run."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=40, help="How many samples.")] = 10,
    seed: Annotated[int | None, typer.Option(help="Pick other samples.")] = None,
    wrong: Annotated[bool, flag("--wrong", help="Only what it takes for another.")] = False,
    far: Annotated[bool, flag("--far", help="One of each class, among those it moves far.")] = False,
    against: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Only what this other run takes for another and RUN reads rightly."),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder of the data; default, where the run found it."),
    ] = None,
) -> None:
    """Draw what a trained network does: input, the grid it chose drawn on it, output, predicted class.

    Also where its transformers look as boxes, the mean digit of each class before and after them, and how the
    training went. Digits that were only turned have the angle of the grid written on it; of volumes there is
    the volume, what the transformer makes of it, and the projection; on house numbers the product of all
    transformers is drawn. Of your own images the report is written anew.
    """
    from ..recipes.co_localisation import Config as CoLocalisation
    from ..recipes.images import Config
    from ..training import Run
    from .choosing import Wanted
    from .co_localisation import draw_located
    from .images_report import renew_report
    from .pictures import draw_run

    if wrong + far + (against is not None) > 1:
        raise ValueError("--wrong, --far and --against exclude each other: name one of them.")
    recipe = Run(run).config.get("recipe")
    place = to or (run if recipe == Config.recipe else run / "figures")
    check_folder(place)
    if recipe == CoLocalisation.recipe:
        for path in draw_located(run, place, count=min(count, 10), data_dir=data_dir):
            out.print(f"Saved {path}")
        return
    if recipe == Config.recipe:
        if wrong or far or against is not None or seed is not None:
            raise ValueError("of a run on your own images there is the report, without such choices.")
        out.print(f"Saved {renew_report(run, place, data_dir)}")
        return
    wanted = Wanted(count, "wrong" if wrong else "far" if far else "even", seed)
    for path in draw_run(run, place, wanted=wanted, against=against, data_dir=data_dir):
        out.print(f"Saved {path}")
