"""`torchstn data`: get the real data, look at what is made from it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from .choices import flag
from .outputs import PNG, check_file
from .plainly import err, out, plainly

app = typer.Typer(
    help="Download the real data, and look at what the distortions make of it.", no_args_is_help=True
)
get = typer.Typer(help="Download a data set, checked by its checksums.", no_args_is_help=True)
app.add_typer(get, name="get")

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="FOLDER",
        help="Where the four MNIST files lie. Without it: the 5,000 digits that need no download.",
    ),
]


@get.command("mnist")
@plainly
def get_mnist(
    data_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Where to put them; default, mnist in TORCHSTN_DATA or ~/.cache/torchstn."
        ),
    ] = None,
) -> None:
    """Download the 70,000 MNIST digits, 11.6 MB. A download that broke off continues where it stopped."""
    from ..data import download_mnist

    with _bar() as progress:
        folder = download_mnist(data_dir, progress)
    out.print(f"MNIST is in {folder}; use it with --data-dir {folder}")


@get.command("svhn")
@plainly
def get_svhn(
    data_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Where to put them; default, svhn in TORCHSTN_DATA or ~/.cache/torchstn."
        ),
    ] = None,
    extra: Annotated[bool, flag("--extra", help="Also the 202,353 extra photographs, 1.96 GB more.")] = False,
) -> None:
    """Download 46,470 photographs of house numbers, 681 MB, for non-commercial use only, and unpack them."""
    from ..data.svhn import download_svhn

    with _bar() as progress:
        folder = download_svhn(data_dir, ("train", "test", *(["extra"] if extra else [])), progress)
    out.print(f"The photographs are in {folder}; use them with --data-dir {folder}")


@get.command("cub")
@plainly
def get_cub(
    data_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Where to put them; default, cub in TORCHSTN_DATA or ~/.cache/torchstn."
        ),
    ] = None,
) -> None:
    """Download 11,788 photographs of birds, 1.15 GB, for non-commercial use only, and unpack them."""
    from ..data import download_cub

    with _bar() as progress:
        folder = download_cub(data_dir, progress)
    out.print(f"CUB-200-2011 is in {folder}; use it with --data-dir {folder}")


@contextmanager
def _bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal for each file, told as `download_file` tells it."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done)

        yield progress


@app.command()
@plainly
def show(
    data_dir: DataDir = None,
    to: Annotated[Path, typer.Option("--out", metavar="PNG", help="Where to save the picture.")] = Path(
        "distortions.png"
    ),
    across: Annotated[int, typer.Option(min=1, max=20, help="Digits along each side of a block.")] = 5,
    seed: Annotated[int, typer.Option(help="Another seed shows other versions.")] = 0,
) -> None:
    """Draw a contact sheet of every distortion: R, RTS, P, E and the cluttered TC, side by side."""
    from ..data import DISTORTIONS, load_mnist
    from ..figures import contact_sheet, save_figure
    from ..figures.saving import MNIST_CREDIT

    check_file(to, endings=PNG)
    digits = load_mnist(data_dir)
    # One digit of each class in turn, so that the classes of a sorted set are all seen.
    order = torch.argsort(digits.test_labels, stable=True)
    chosen = order.reshape(10, -1).T.flatten() if len(order) % 10 == 0 else order
    chosen = chosen[: across * across]
    sets = {
        name: distortion(digits.test_images[chosen], chosen, seed=seed, epoch=-1, clutter=digits.train_images)
        for name, distortion in DISTORTIONS.items()
        if name not in ("none", "RTS-undone")
    }
    out.print(f"Saved {save_figure(contact_sheet(sets, across=across), to, credit=MNIST_CREDIT)}")
