"""`python -m benchmarks.loading`: pictures a second, written to a record and to the docs."""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from torchstn.training import atomic_write, commit, machine
from torchstn.training.provenance import cores, machine_slug

from .. import record
from ..table import write_between_markers
from .pictures import KINDS, draw_pictures
from .sides import Load, pillow, torchstn_itself

PAGE = record.ROOT / "docs" / "own_images.md"
SIDE, BATCH = 224, 32
console = Console(soft_wrap=True)


def main() -> int:
    """Measures each way with one worker and with one a core, the fastest of several rounds."""
    options = _parser().parse_args()
    path = options.out or record.RESULTS / f"loading-{machine_slug()}.json"
    if not options.render:
        found = {
            "machine": machine(),
            "commit": commit(),
            "side": SIDE,
            "batch": BATCH,
            "rows": _measure(options),
        }
        atomic_write(path, json.dumps(found, indent=1) + "\n")
    text = table(json.loads(path.read_text()))
    if options.out is None:
        write_between_markers(PAGE, text, "loading")
    console.print(text, markup=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.loading",
        description="Time the loading of pictures beside Pillow's. Leave the machine alone meanwhile.",
    )
    parser.add_argument("--count", type=int, default=192, help="pictures of each kind")
    parser.add_argument("--rounds", type=int, default=5, help="of which the fastest counts")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the record, in place of that of the docs")
    parser.add_argument("--render", action="store_true", help="redraw the table of the record only")
    return parser


def _measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for kind in KINDS:
            folder = Path(place) / kind
            folder.mkdir()
            names = draw_pictures(folder, kind, options.count)
            for workers in sorted({1, cores()}):
                ours = folder, names, SIDE, BATCH, workers
                ways: dict[str, Load] = {
                    "pillow": pillow(folder, names, SIDE, BATCH, 0 if workers == 1 else workers),
                    "torchstn": torchstn_itself(*ours),
                    "torchstn, kept": torchstn_itself(*ours, keep=True),
                }
                rates = dict.fromkeys(ways, 0.0)
                for _ in range(options.rounds):  # in turn, so that a busy moment meets all of them
                    for way, load in ways.items():
                        rates[way] = max(rates[way], _rate(load, len(names)))
                rows.append({"pictures": kind, "workers": workers, **rates})
                console.print(rows[-1])
    return rows


def _rate(load: Load, count: int) -> float:
    start = time.perf_counter()
    load()
    return count / (time.perf_counter() - start)


def table(found: dict[str, Any]) -> str:
    """The record as a Markdown table."""
    head = "| pictures | workers | Pillow, one by one | torchstn | torchstn, once they are kept |"
    lines = [
        f"{found['machine']}; {found['side']} pixels, batches of {found['batch']}; pictures a second.",
        "",
        head,
    ]
    lines.append("| --- | --- | --- | --- | --- |")
    for row in found["rows"]:
        ours, kept, base = row["torchstn"], row["torchstn, kept"], row["pillow"]
        lines.append(
            f"| {row['pictures']} | {row['workers']} | {base:.0f} | {ours:.0f} ({ours / base:.1f}x) | "
            f"{kept:.0f} ({kept / base:.1f}x) |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
