"""What a report on a finished training needs: gathered here, drawn by `torchstn.figures.image_report`."""

from pathlib import Path

import torch

from ..figures.image_report import Mistake, Report, Sample, report_html
from ..recipes.finished import load_run, load_samples
from ..recipes.images import Config, PictureClassifier, Pictures
from ..recipes.images.looking import crops_of, look
from ..training import Metrics, Run, atomic_write
from .images_watching import rounded, shown_places

_MISTAKES = 24
_CROP = 96
_BATCH = 32


def renew_report(folder: Path, to: Path, data_dir: Path | None) -> Path:
    """Writes report.html of a finished run anew, from its data or the same elsewhere."""
    config = load_run(folder).config
    pictures = load_samples(config, data_dir)
    assert isinstance(pictures, Pictures)
    if Run(folder).classes != pictures.classes:
        raise ValueError(
            f"the run tells {', '.join(Run(folder).classes)} apart, the data is of "
            f"{', '.join(pictures.classes)}."
        )
    return write_report(folder, config, pictures, to)


def write_report(folder: Path, config: Config, pictures: Pictures, to: Path | None = None) -> Path:
    """Writes report.html of a finished run into its folder, or another."""
    run, model = Run(folder), load_run(folder).model
    confusion, mistakes = _judge(model, config, pictures)
    moments = Metrics(folder / "looks.jsonl").read()
    places = shown_places(pictures)
    images = pictures.canvases.read(places)[0]
    crops = crops_of(look(model, images).grids, images, _CROP)
    samples = [
        Sample(
            image,
            pictures.canvases.files[place],
            pictures.classes[int(pictures.labels[place])],
            [moment["outlines"][k] for moment in moments],
            [pictures.classes[moment["named"][k]] for moment in moments],
            [moment["sure"][k] for moment in moments],
            crops[k],
        )
        for k, (image, place) in enumerate(zip(images, places, strict=True))
    ]
    assert run.result is not None
    report = Report(
        result=run.result,
        settings=run.config,
        classes=pictures.classes,
        records=run.metrics.read(),
        confusion=confusion,
        mistakes=mistakes,
        samples=samples,
        steps=[moment["step"] for moment in moments],
        trained=torch.bincount(pictures.labels[pictures.learnt], minlength=len(pictures.classes)).tolist(),
        skipped=dict(pictures.skipped),
    )
    path = (to or folder) / "report.html"
    atomic_write(path, report_html(report))
    return path


def _judge(
    model: PictureClassifier, config: Config, pictures: Pictures
) -> tuple[list[list[int]], list[Mistake]]:
    """The confusion of the held-out pictures, and those named wrongly, the surest first."""
    classes = len(pictures.classes)
    confusion = torch.zeros(classes, classes, dtype=torch.int64)
    wrong: list[tuple[float, int, int]] = []
    for places in torch.split(pictures.held, _BATCH):
        probabilities = look(model, pictures.canvases.read(places.tolist())[0]).probabilities
        sure, named = probabilities.max(1)
        labels = pictures.labels[places]
        confusion += torch.bincount(labels * classes + named, minlength=classes**2).view(classes, classes)
        missed = named != labels
        wrong += zip(sure[missed].tolist(), places[missed].tolist(), named[missed].tolist(), strict=True)
    worst = sorted(wrong, reverse=True)[:_MISTAKES]
    return confusion.tolist(), _mistakes(model, config, pictures, worst)


def _mistakes(
    model: PictureClassifier, config: Config, pictures: Pictures, worst: list[tuple[float, int, int]]
) -> list[Mistake]:
    if not worst:
        return []
    images = pictures.canvases.read([place for _, place, _ in worst])[0]
    found = rounded(look(model, images), config.size)
    return [
        Mistake(
            image,
            pictures.canvases.files[place],
            pictures.classes[int(pictures.labels[place])],
            pictures.classes[named],
            sure,
            views,
        )
        for image, views, (sure, place, named) in zip(images, found, worst, strict=True)
    ]
