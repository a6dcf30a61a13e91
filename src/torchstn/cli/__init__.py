"""The command line: `torchstn`, and `python -m torchstn`."""

import sys
import warnings

_OF_THE_EXTRAS = (
    "accelerate",
    "h5py",
    "matplotlib",
    "mlxtend",
    "numpy",
    "PIL",
    "rich",
    "safetensors",
    "typer",
)


def main() -> None:
    """Runs the command line; where a package it needs is missing, one sentence says what to install."""
    try:
        from .application import app
    except ModuleNotFoundError as missing:
        name = (missing.name or "").partition(".")[0]
        if name not in _OF_THE_EXTRAS:
            raise
        sys.exit(f'torchstn: the command line needs the package {name}; run pip install "torchstn[cli]".')
    # Pillow warns of odd tags, which photographs are full of; what cannot be read is told by name.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    app()
