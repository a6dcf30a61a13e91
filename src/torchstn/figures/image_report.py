"""The report on a classifier of someone's own images: one HTML file that needs nothing beside it."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from io import BytesIO
from string import Template
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from .curves import curves
from .saving import png_bytes
from .style import SERIES

Outline = Sequence[Sequence[float]]
"""Points (x, y) in pixels of the image."""

_MOST_MOMENTS = 40


@dataclass(frozen=True, eq=False)
class Sample:
    """A held-out image that was followed through the training.

    Attributes:
        image: (3, h, w) uint8.
        file: Its name.
        label: Its class.
        outlines: By moment and view, what each transformer looked at.
        named: What it was taken for, by moment,
        sure: and with which probability.
        crops: (views, 3, h, w) uint8, what the transformers make of it in the end.
    """

    image: Tensor
    file: str
    label: str
    outlines: Sequence[Sequence[Outline]]
    named: Sequence[str]
    sure: Sequence[float]
    crops: Tensor


@dataclass(frozen=True, eq=False)
class Mistake:
    """A held-out image that was taken for something else; as of `Sample`, in the end."""

    image: Tensor
    file: str
    label: str
    named: str
    sure: float
    outlines: Sequence[Outline]


@dataclass(frozen=True, eq=False)
class Report:
    """What a report says.

    Attributes:
        result: The result record.
        settings: The run's.
        classes: Their names.
        trained: How many images of each were trained on.
        records: One an epoch, as in metrics.jsonl.
        confusion: Of the held-out images; the row is the class, the column what it was taken for.
        mistakes: The surest first.
        samples: Images followed through the training,
        steps: at these moments.
        skipped: What is wrong with each file that was left out.
    """

    result: Mapping[str, Any]
    settings: Mapping[str, Any]
    classes: Sequence[str]
    trained: Sequence[int]
    records: Sequence[Mapping[str, Any]]
    confusion: Sequence[Sequence[int]]
    mistakes: Sequence[Mistake]
    samples: Sequence[Sample]
    steps: Sequence[int]
    skipped: Mapping[str, str]


def report_html(report: Report) -> str:
    """The report as a page: how well, how it went, which classes are confused, and where it looks."""
    count = sum(map(sum, report.confusion))
    wrong = count - sum(row[k] for k, row in enumerate(report.confusion))
    template = Template(
        resources.files(__package__).joinpath("image_report.html").read_text(encoding="utf-8")
    )
    return template.substitute(
        title=escape(str(report.settings.get("data_dir", "images")).rstrip("/").rpartition("/")[2]),
        network=escape(report.result["cell"]),
        error=f"{100 * wrong / count:.1f}",
        wrong=f"{wrong:,}",
        count=f"{count:,}",
        trained=f"{sum(report.trained):,}",
        minutes=f"{report.result['wall_seconds'] / 60:.1f}",
        parameters=f"{report.result['parameters']:,}",
        curves=_data("png", png_bytes(curves(report.records))),
        classes=_classes(report),
        confusion=_confusion(report.classes, report.confusion),
        looks=_looks(report),
        mistakes="".join(map(_mistake, report.mistakes)) or "<p>None of the held-out images.</p>",
        skipped=_skipped(report.skipped),
        settings=_table(("choice", "value"), sorted((k, str(v)) for k, v in report.settings.items())),
        command=escape(report.result["command"]),
        data=json.dumps(_moments(report)).replace("<", "\\u003c"),
    )


def _classes(report: Report) -> str:
    rows = []
    for k, (name, trained) in enumerate(zip(report.classes, report.trained, strict=True)):
        held = sum(report.confusion[k])
        right = f"{100 * report.confusion[k][k] / held:.0f} %" if held else "none held out"
        taken = max((j for j in range(len(report.classes)) if j != k), key=lambda j: report.confusion[k][j])
        most = f"{report.classes[taken]} ({report.confusion[k][taken]})" if report.confusion[k][taken] else ""
        rows.append((name, trained, held, right, most))
    return _table(("class", "trained on", "held out", "right", "most often taken for"), rows)


def _confusion(classes: Sequence[str], confusion: Sequence[Sequence[int]]) -> str:
    head = "".join(f'<th scope="col"><span>{escape(name)}</span></th>' for name in classes)
    rows = []
    for name, row in zip(classes, confusion, strict=True):
        total = max(sum(row), 1)
        cells = "".join(
            f'<td class="{"right" if name == classes[j] else "wrong"}" style="--share:{n / total:.3f}" '
            f'title="{escape(name)} taken for {escape(classes[j])}: {n}">{n or ""}</td>'
            for j, n in enumerate(row)
        )
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    body = "".join(rows)
    return f'<table class="confusion"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'


def _looks(report: Report) -> str:
    if not any(sample.outlines and sample.outlines[-1] for sample in report.samples):
        return "<p>The network has no transformer: it always sees the whole image.</p>"
    return "".join(_look(k, sample) for k, sample in enumerate(report.samples))


def _look(number: int, sample: Sample) -> str:
    crops = "".join(
        f'<img class="crop" style="border-color:{_colour(k)}" alt="view {k + 1}" src="{_picture(crop)}">'
        for k, crop in enumerate(sample.crops)
    )
    return (
        f'<figure class="look" id="look{number}">{_overlaid(sample.image, sample.outlines[-1])}'
        f'<div class="crops">{crops}</div><figcaption><b>{escape(sample.label)}</b>: '
        f'<span class="named">{escape(sample.named[-1])} {100 * sample.sure[-1]:.0f} %</span>'
        f"<br><small>{escape(sample.file)}</small></figcaption></figure>"
    )


def _mistake(mistake: Mistake) -> str:
    return (
        f"<figure>{_overlaid(mistake.image, mistake.outlines)}"
        f"<figcaption><b>{escape(mistake.label)}</b> taken for "
        f'<b class="bad">{escape(mistake.named)}</b> {100 * mistake.sure:.0f} %<br>'
        f"<small>{escape(mistake.file)}</small></figcaption></figure>"
    )


def _overlaid(image: Tensor, outlines: Sequence[Outline]) -> str:
    h, w = image.shape[1:]
    shapes = "".join(
        f'<polygon points="{" ".join(f"{x:g},{y:g}" for x, y in outline)}" stroke="{_colour(k)}"/>'
        for k, outline in enumerate(outlines)
    )
    return (
        f'<svg viewBox="0 0 {w} {h}"><image href="{_picture(image)}" width="{w}" height="{h}"/>{shapes}</svg>'
    )


def _colour(view: int) -> str:
    return SERIES[view % len(SERIES)]


def _moments(report: Report) -> dict[str, Any]:
    """What the slider shows: of a long training as many moments as one likes to step through."""
    last = len(report.steps) - 1
    count = min(len(report.steps), _MOST_MOMENTS)
    kept = [round(k * last / max(count - 1, 1)) for k in range(count)]
    samples = [
        {
            "outlines": [sample.outlines[k] for k in kept],
            "named": [f"{sample.named[k]} {100 * sample.sure[k]:.0f} %" for k in kept],
            "right": [sample.named[k] == sample.label for k in kept],
        }
        for sample in report.samples
    ]
    return {"steps": [report.steps[k] for k in kept], "samples": samples}


def _skipped(skipped: Mapping[str, str]) -> str:
    if not skipped:
        return "<p>None: every file was read.</p>"
    return "<ul>" + "".join(f"<li>{escape(why)}</li>" for why in skipped.values()) + "</ul>"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _picture(image: Tensor) -> str:
    """An image (3, h, w) uint8 as a small JPEG within the page."""
    buffer = BytesIO()
    Image.fromarray(image.permute(1, 2, 0).to(torch.uint8).contiguous().numpy()).save(
        buffer, "JPEG", quality=82
    )
    return _data("jpeg", buffer.getvalue())


def _data(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
