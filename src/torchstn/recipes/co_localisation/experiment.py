"""One cell from its config to its result, and a finished one looked at again."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...data import Mnist, load_mnist
from ...training import Run
from ..begun import check_choices, check_data, commit_of, read_config, start
from ..digits import split
from ..record import result_record
from ..width import count_parameters
from .config import Config
from .data import SIDE, Images, draw_images
from .encoder import digit_descriptor, ensure_encoder
from .localiser import boxes_of, localiser, overlap
from .optimise import Found, co_localise
from .paper import paper_share

CROP = 28


def train(
    config: Config, folder: Path | str, *, resume: bool = False, progress: bool = True
) -> dict[str, Any]:
    """Co-localises one class of digits, or goes on where an earlier process stopped.

    Args:
        config: Which, and how.
        folder: Where the run goes. The encoder's goes beside it, where none is given.
        resume: Go on with the run in the folder; without one, start it.
        progress: Show how it goes.

    Returns:
        The result record.

    Raises:
        ValueError: If the folder holds a run and `resume` is not set, it is a run of another config, or
            another process trains in it; if the data is missing, damaged, or other than it began with, or the
            encoder does not fit.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    run = Run(folder)
    with run.lock():
        if run.exists():
            check_choices(run, config, resume=resume)
        if run.result is not None:
            return run.result
        mnist = _load(config)
        data = f"{mnist.name}, sha256 {mnist.sha256}"
        if run.exists():
            check_data(run, data)
        images = draw_images(config, mnist)
        encoder = ensure_encoder(config, run.folder, progress=progress)
        descriptor = digit_descriptor(encoder, split(mnist, config.validation)[0])
        if not run.exists():
            start(run, config, data=data)
        version = commit_of(run)
        found = co_localise(
            images.pictures, descriptor, config, run.folder, title=config.cell, progress=progress
        )
        record = _record(config, found, images, data, version)
        run.save_weights(found.transformer.state_dict() | _history(found))
        run.save_result(record)
        return record


class Located(NamedTuple):
    """What a finished run found.

    Attributes:
        images: What it looked at, and where the digits are.
        crops: (n, 1, 28, 28) what its transformer cuts out.
        moments: Steps and the boxes (n, 4) after them; the last are those it found.
    """

    images: Images
    crops: Tensor
    moments: list[tuple[int, Tensor]]


@torch.no_grad()
def locate(folder: Path | str, *, data_dir: Path | str | None = None) -> Located:
    """Looks again at the images of a finished run.

    Args:
        folder: The run.
        data_dir: The MNIST files; default, where the run found them.

    Raises:
        ValueError: If the folder holds no finished run, or the data is missing or damaged.
    """
    run = Run(folder)
    config = read_config(run, {Config.recipe: Config})
    weights = run.load_weights()
    steps, thetas = weights.pop("history.steps"), weights.pop("history.theta")
    transformer = localiser(
        1, SIDE, CROP, stride=config.stride, hidden=config.hidden, growth=config.growth, seed=0
    )
    transformer.load_state_dict(weights)
    images = draw_images(config, _load(config, data_dir))
    boxes = [boxes_of(theta, SIDE, CROP) for theta in thetas]
    return Located(images, transformer(images.pictures), list(zip(steps.tolist(), boxes, strict=True)))


def _history(found: Found) -> dict[str, Tensor]:
    steps, thetas = zip(*found.moments, strict=True)
    return {"history.steps": torch.tensor(steps), "history.theta": torch.stack(thetas)}


def _record(config: Config, found: Found, images: Images, data: str, version: str | None) -> dict[str, Any]:
    hit = overlap(boxes_of(found.theta, SIDE, CROP), images.boxes) > 0.5
    return result_record(
        config,
        metric="boxes with IoU > 0.5 (%)",
        value=100 * hit.double().mean().item(),
        judged=len(hit),
        paper=paper_share(config),
        parameters=count_parameters(found.transformer),
        images_seen=found.steps * min(config.batch, config.images),
        seconds=found.seconds,
        products=torch.float32,
        data=data,
        version=version,
        measured={},
    )


def _load(config: Config, data_dir: Path | str | None = None) -> Mnist:
    place = data_dir if data_dir is not None else config.data_dir
    return load_mnist(None if place is None else Path(place))
