"""`torchstn train co-localisation`: the paper's experiment, and the pictures of its runs."""

import sys
from pathlib import Path
from typing import Any

import typer

from ..recipes.co_localisation import Config
from ..recipes.digit_samples import find_digits
from .data_folder import data_folder
from .plainly import INTERRUPTED, note, out
from .settings import ResultsFolder, Resume, RunFolder
from .training import folder_for, resume_command, tell

FIGURE_STEPS = (0, 10, 30, 60, 180)
"""Of the paper's figure 4."""


def co_localisation(
    to: RunFolder = None,
    resume: Resume = False,
    results: ResultsFolder = None,
    **settings: Any,
) -> None:
    """Find a digit in 100 images that share it, without a label (appendix A.2 of the paper).

    The encoder, a network that reads plain digits, is trained beside the run where --encoder-dir names none.
    The run is a folder; it can be stopped at any moment, and the same command with --resume goes on.
    """
    from ..recipes.co_localisation import train

    settings["data_dir"] = data_folder(find_digits, settings["data_dir"], settings["preset"])
    config = Config.make(**settings)
    folder = folder_for(config, to, resume, results)
    note(f"Looking for a {config.digit} in {config.images} images of {config.set}, in {folder}")
    try:
        record = train(config, folder, resume=resume)
    except KeyboardInterrupt:
        note(f"\nStopped. Go on with: {resume_command(sys.argv)}")
        raise typer.Exit(INTERRUPTED) from None
    tell(record, config, results)
    for path in draw_located(folder, folder / "figures"):
        out.print(f"Saved {path}")


def draw_located(run: Path, folder: Path, *, count: int = 3, data_dir: Path | None = None) -> list[Path]:
    """Draws a finished run: boxes.png, the boxes of a few images step by step, and crops.png, all crops.

    Args:
        run: Its folder.
        folder: Where the pictures go.
        count: Images in boxes.png.
        data_dir: The MNIST files; default, where the run found them.

    Returns:
        The pictures.
    """
    from ..figures import contact_sheet, moments_figure, save_figure
    from ..figures.saving import MNIST_CREDIT
    from ..recipes.co_localisation import locate

    found = locate(run, data_dir=data_dir)
    last = found.moments[-1][0]
    shown = [one for one in found.moments if one[0] in FIGURE_STEPS or one[0] == last]
    few = [(step, boxes[:count]) for step, boxes in shown]
    boxes = moments_figure(found.images.pictures[:count], few, found.images.boxes[:count])
    across = int(len(found.crops) ** 0.5)
    crops = contact_sheet({"what it found": found.crops}, across=across, side=5.0)
    return [
        save_figure(boxes, folder / "boxes.png", credit=MNIST_CREDIT),
        save_figure(crops, folder / "crops.png", credit=MNIST_CREDIT),
    ]
