"""All commands under one name.

Each imports what it needs when it runs: neither the help nor a mistyped option should wait for it.
"""

from typing import Annotated

import typer

from .. import __version__
from .apply import apply
from .choices import flag
from .co_localise import co_localise
from .data import app as data
from .demo import demo
from .doctor import doctor
from .evaluate import evaluate
from .export import export
from .plainly import out
from .predict import predict
from .reproduce import reproduce
from .results import results
from .show import show
from .train import app as train

_SETTINGS = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="torchstn",
    help="Spatial transformers: train them, look at what they do, use them. New here? Try: torchstn demo",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
)


def _print_version(asked: bool) -> None:
    if asked:
        out.print(f"torchstn {__version__}")
        raise typer.Exit


@app.callback()
def _everywhere(
    version: Annotated[
        bool,
        flag("--version", is_eager=True, callback=_print_version, help="Print the version and stop."),
    ] = False,
) -> None:
    pass


app.command()(demo)
app.add_typer(train, name="train")
app.command()(evaluate)
app.command()(predict)
app.command()(apply)
app.command()(export)
app.command()(show)
app.command()(co_localise)
app.add_typer(data, name="data")
app.command()(reproduce)
app.command()(results)
app.command()(doctor)
