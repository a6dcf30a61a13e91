"""`torchstn predict RUN IMAGE...`: what is this?"""

from pathlib import Path
from typing import Annotated

import typer

from .choices import flag
from .outputs import PNG, check_file
from .plainly import plainly

Invert = Annotated[
    bool | None,
    flag(
        "--invert/--no-invert",
        help="Ink is darker (or lighter) than the ground; default, the border tells.",
    ),
]
Save = Annotated[
    Path | None,
    typer.Option(
        metavar="JSON",
        help="Of your own classes: a file for what is found; several processes can then share the work.",
    ),
]


@plainly
def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished training.")],
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Pictures, in any format; of your own classes also folders."),
    ],
    invert: Invert = None,
    whole: Annotated[
        bool, flag("--whole", help="Keep the whole picture in place of cropping to the digit.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option("--out", metavar="PNG", help="Also draw input, grid and output of each.")
    ] = None,
    as_json: Annotated[bool, flag("--json", help="Print JSON in place of a table.")] = False,
    boxes: Annotated[
        bool, flag("--boxes", help="Of your own classes: say where each transformer looked.")
    ] = False,
    save: Save = None,
) -> None:
    """Name what any picture file shows: your own classes, a digit, the digits of a sum, a house number.

    A run on your own images names every image of folders. A run on digits reads one digit of each picture: a
    photograph, a scan, a drawing; of sums two pictures at a time. A picture of the size the network was
    trained on is taken as it is; any other is made grey, white on black, cropped to its ink and scaled as
    MNIST's digits are. A run on house numbers reads one in each picture, cropped to a little more than it.
    A file that cannot be read is named; the exit status is 1 after all others.
    """
    from ..recipes.finished import load_run
    from ..recipes.images import RECIPE as IMAGES
    from ..recipes.svhn import RECIPE as HOUSE_NUMBERS
    from ..training import Run
    from .digits_predicting import predict_digits
    from .images_predicting import predict_images
    from .numbers_predicting import predict_numbers

    if to is not None:
        check_file(to, endings=PNG)
    if save is not None:
        check_file(save, "--save")
    if Run(run).config.get("recipe") == IMAGES.name:
        if invert is not None or whole or to is not None:
            raise ValueError("--invert, --whole and --out are for runs on digits; this one is on images.")
        predict_images(run, images, as_json=as_json, boxes=boxes, save=save)
        return
    if boxes or save is not None:
        raise ValueError("--boxes and --save are for runs on images; this one is not.")
    finished = load_run(run)
    if finished.recipe.name == HOUSE_NUMBERS.name:
        if invert is not None or whole:
            raise ValueError("--invert and --whole are for runs on digits; this one is on house numbers.")
        predict_numbers(finished, images, as_json=as_json, to=to)
        return
    predict_digits(finished, images, invert=invert, whole=whole, to=to, as_json=as_json)
