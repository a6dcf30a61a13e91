"""`python -m benchmarks.loading`: pictures a second, written to a record and to the docs."""

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.markup import escape

from torchstn.figures.markdown import markdown_table
from torchstn.training import atomic_write, commit, machine
from torchstn.training.provenance import cores, machine_slug

from .. import record
from ..record import Json
from ..table import write_between_markers
from ..timing import Effort, measure
from .pictures import KINDS, draw_pictures
from .sides import Load, pillow, torchstn_itself

PAGE = record.ROOT / "docs" / "own_images.md"
SIDE, BATCH = 224, 32
console = Console(soft_wrap=True)


def main(words: Sequence[str] | None = None) -> int:
    """Measures each way with one worker and with one a core."""
    options = _parser().parse_args(words)
    path = options.out or record.RESULTS / f"loading-{machine_slug()}.json"
    try:
        if not options.render:
            record.check_writable(path)
            _measure(options, path)
        text = table(record.read(path, {"machine", "side", "batch", "rows"}))
    except ValueError as error:
        console.print(f"[red]Error:[/] {escape(str(error))}")
        return 2
    if options.out is None:
        write_between_markers(PAGE, text, "loading")
    console.print(text, markup=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.loading",
        description="Time the loading of pictures beside Pillow's. Leave the machine alone meanwhile.",
    )
    add = parser.add_argument
    add("--count", type=_count, default=192, metavar="N", help="pictures of each kind")
    add("--rounds", type=_count, default=5, metavar="N", help="of which the median counts")
    add("--out", type=Path, metavar="FILE", help="the record, in place of that of the docs")
    add("--render", action="store_true", help="redraw the table of the record only")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on; got {text!r}")
    return int(text)


def _measure(options: argparse.Namespace, path: Path) -> None:
    """Measures row after row, writing each as it comes."""
    torch.set_num_threads(1)
    about = {"machine": machine(threads=False), "commit": commit(), "side": SIDE, "batch": BATCH}
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for row in _rows(Path(place), options.count, options.rounds):
            rows.append(row)
            atomic_write(path, json.dumps({**about, "rows": rows}, indent=1) + "\n")
            console.print(row)


def _rows(place: Path, count: int, rounds: int) -> Iterator[Json]:
    effort = Effort(shortest=0, rounds=rounds, fewest=rounds, budget=0)
    for kind in KINDS:
        folder = place / kind
        folder.mkdir()
        names = draw_pictures(folder, kind, count)
        for workers in sorted({1, cores()}):
            order = random.Random(f"{kind} {workers}")  # noqa: S311  # turns, not secrets
            times = measure(_ways(folder, names, workers), effort, order=order)
            rates = {way: count / time.median for way, time in times.items()}
            yield {"pictures": kind, "workers": workers, **rates}


def _ways(folder: Path, names: Sequence[str], workers: int) -> dict[str, Load]:
    ours = folder, names, SIDE, BATCH, workers
    return {
        "pillow": pillow(folder, names, SIDE, BATCH, 0 if workers == 1 else workers),
        "torchstn": torchstn_itself(*ours),
        "torchstn, kept": torchstn_itself(*ours, keep=True),
    }


def table(found: Json) -> str:
    """The record as a Markdown table."""
    about = f"{found['machine']}; {found['side']} pixels, batches of {found['batch']}; pictures a second.\n\n"
    head = ("pictures", "workers", "Pillow, one by one", "torchstn", "torchstn, once they are kept")
    return about + markdown_table(head, map(_cells, found["rows"]))


def _cells(row: Json) -> tuple[str, ...]:
    base = row["pillow"]
    ours = (f"{row[way]:.0f} ({row[way] / base:.1f}x)" for way in ("torchstn", "torchstn, kept"))
    return (row["pictures"], str(row["workers"]), f"{base:.0f}", *ours)


if __name__ == "__main__":
    raise SystemExit(main())
