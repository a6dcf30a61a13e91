"""`python -m torchstn.recipes RECIPE FOLDER distortion=R model=st-cnn ...`: trains one cell."""

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from .registry import RECIPES
from .supervised import train


def main(arguments: list[str]) -> None:
    """Trains what `name=value` arguments describe, resuming what the folder holds, and prints the result."""
    recipe, folder, *pairs = arguments
    config = RECIPES[recipe].config
    settings: dict[str, Any] = dict(pair.split("=", 1) for pair in pairs)
    for item in fields(config):
        if item.name in settings and item.type in (int, float):
            settings[item.name] = item.type(settings[item.name])
    record = train(config.make(**settings), Path(folder), resume=True)
    sys.stdout.write(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
