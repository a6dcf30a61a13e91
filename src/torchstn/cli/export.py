"""`torchstn export RUN FILE`: a trained network for programs that know nothing of this one."""

from pathlib import Path
from typing import Annotated

import typer

from .outputs import check_file
from .plainly import out, plainly


@plainly
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished training's folder.")],
    to: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="What to write: NAME.pt2 (PyTorch alone reads it) or NAME.onnx."),
    ],
) -> None:
    """Write a trained network as a program that runs without torchstn, for any number of inputs.

    NAME.pt2 is read by torch.export.load, NAME.onnx by ONNX Runtime and what else knows ONNX. Either takes
    float32 inputs in [0, 1] and gives logits; it carries the classes and the shape of its inputs as
    torchstn.json. Before it is written it is read back and compared with the network.
    """
    from ..recipes.exporting import ENDINGS
    from ..recipes.exporting import export as write

    check_file(to, "FILE", endings=ENDINGS)
    path, about, apart = write(run, to)
    shape = ", ".join(map(str, about["input"]["shape"]))
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    out.print(f"Saved {path}, {size}: inputs ({shape}) to logits, {apart:.1g} off the network at most.")
