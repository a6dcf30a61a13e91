"""A finished model as a program for elsewhere: torch.export's, which needs PyTorch alone, or ONNX."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .. import __version__
from ..training import Run, atomic_write
from .finished import Finished, load_run
from .recipe import Recipe

ABOUT = "torchstn.json"
"""Under which name a program carries what is known of it."""
_EXAMPLES, _TRIED = 2, 5
_ALIKE = 1e-3
"""Of the largest logit: what rounding in another order comes to is a thousandth of this."""

Program = Callable[[Tensor], Tensor]


class Exported(NamedTuple):
    """A program that was written.

    Attributes:
        path: The file.
        about: What it carries: the recipe, what goes in and what comes out.
        apart: The largest difference from the model's logits, on random inputs, of the file read back.
    """

    path: Path
    about: dict[str, Any]
    apart: float


def export(folder: Path | str, to: Path) -> Exported:
    """Writes a finished run's model as a program for any number of inputs.

    Args:
        folder: The run.
        to: The file: `.pt2`, which `torch.export.load` reads, or `.onnx`.

    Raises:
        ValueError: If the folder holds no finished run, the file's suffix is another, or the program does not
            compute what the network does; it is not written then.
        ModuleNotFoundError: If the packages that ONNX needs are missing.
    """
    ending = to.suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(f"`to` must end in {' or '.join(ENDINGS)}, which says what to write; got {to}.")
    finished = load_run(folder)
    model = whole(finished.recipe, finished.model)
    shape = finished.recipe.shape(finished.config)
    about = _about(finished, shape, Run(folder).classes)
    inputs = torch.rand(_TRIED, *shape, generator=torch.Generator().manual_seed(0))
    content, program = write(model, inputs[:_EXAMPLES], ending, about)
    with torch.no_grad():
        wanted, found = model(inputs), program(inputs)
    apart = float((found - wanted).abs().max())
    if not apart <= _ALIKE * max(float(wanted.abs().max()), 1.0):
        raise ValueError(f"The program is {apart:.2g} off what the network computes, and was not written.")
    atomic_write(to, content)
    return Exported(to, about, apart)


class _Prepared(nn.Module):
    def __init__(self, prepare: Callable[[Tensor], Tensor], model: nn.Module) -> None:
        super().__init__()
        self.prepare, self.model = prepare, model

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.model(self.prepare(inputs))
        return logits


def whole(recipe: Recipe[Any, Any], model: nn.Module) -> nn.Module:
    """A recipe's model that takes values in [0, 1], ready to be written."""
    taken = model if recipe.prepare is None else _Prepared(recipe.prepare, model)
    return taken.eval().requires_grad_(False)


def write(model: nn.Module, example: Tensor, suffix: str, about: dict[str, Any]) -> tuple[bytes, Program]:
    """A model as a file's content, and as the program that is read back from it.

    Args:
        model: Ready to predict.
        example: Two inputs or more; the program takes any number.
        suffix: Of the file.
        about: What the file is to carry.
    """
    with warnings.catch_warnings(), _silent("torch.onnx"):
        # Exporters warn of their own workings: deprecated calls among themselves, packages they could serve.
        warnings.simplefilter("ignore")
        return _WRITERS[suffix](model, example, about)


@contextmanager
def _silent(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _about(finished: Finished, shape: tuple[int, ...], classes: tuple[str, ...]) -> dict[str, Any]:
    """What whoever runs the program has to know."""
    recipe, config, _ = finished
    about = {
        "made_by": f"torchstn {__version__}",
        "recipe": recipe.name,
        "cell": config.cell,
        "input": {"name": "inputs", "shape": ["n", *shape], "type": "float32", "range": [0, 1]},
        "output": {"name": "logits", "meaning": f"a softmax over the last axis gives the {recipe.answer}"},
    }
    if classes:
        about["classes"] = list(classes)
    if hasattr(config, "fit"):
        about["input"]["fit"] = config.fit
    return about


def _to_pt2(model: nn.Module, example: Tensor, about: dict[str, Any]) -> tuple[bytes, Program]:
    program = torch.export.export(model, (example,), dynamic_shapes=({0: torch.export.Dim("n")},))
    stream = io.BytesIO()
    torch.export.save(program, stream, extra_files={ABOUT: json.dumps(about, ensure_ascii=False)})
    stream.seek(0)
    return stream.getvalue(), torch.export.load(stream).module()


def _to_onnx(model: nn.Module, example: Tensor, about: dict[str, Any]) -> tuple[bytes, Program]:
    import onnxruntime

    program = torch.onnx.export(
        model,
        (example,),
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("n")},),
        input_names=["inputs"],
        output_names=["logits"],
        verbose=False,
    )
    assert program is not None
    program.model.metadata_props[ABOUT] = json.dumps(about, ensure_ascii=False)
    content = program.model_proto.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def run(inputs: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {"inputs": inputs.numpy()})[0])

    return content, run


_WRITERS = {".pt2": _to_pt2, ".onnx": _to_onnx}
ENDINGS = tuple(_WRITERS)
"""Of the files that can be written."""
