"""Small photographs of birds in the official format of CUB-200-2011 and in that of zips of some species."""

import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

SPECIES = ("001.Red_Wren", "002.Blue_Grosbeak", "003.Green_Jay")
COLOURS = ("red", "blue", "green")
EACH = 6
PARTS = ("back", "beak", "belly", "left eye", "tail")
SIZE = (120, 90)  # width and height
PLACES = {"back": (50, 40), "beak": (95, 15), "belly": (50, 70), "left eye": (88, 15), "tail": (3, 45)}
HIDDEN = "left eye"
"""The part that is not to be seen on every other photograph."""


def files() -> list[str]:
    return [f"{name}/{name[4:]}_{k}.jpg" for name in SPECIES for k in range(EACH)]


def photograph(species: int, k: int, factor: float = 1.0) -> bytes:
    """A bird of its species' colour with a yellow head; before a ground that differs from one to another."""
    picture = Image.new("RGB", SIZE, (40 + 10 * k,) * 3)
    drawing = ImageDraw.Draw(picture)
    drawing.ellipse((30, 20, 75, 80), fill=COLOURS[species])
    drawing.ellipse((82, 8, 100, 24), fill="yellow")
    if factor != 1:
        picture = picture.resize((round(SIZE[0] * factor), round(SIZE[1] * factor)))
    buffer = BytesIO()
    picture.save(buffer, "jpeg", quality=95)
    return buffer.getvalue()


def lists() -> dict[str, str]:
    """The official lists by name: of every three photographs the last is to be judged by."""
    names = files()
    numbers = range(1, 1 + len(names))
    places = []
    for number in numbers:
        for part, name in enumerate(PARTS, 1):
            seen = not (name == HIDDEN and number % 2)
            x, y = PLACES[name] if seen else (0, 0)
            places.append(f"{number} {part} {x:.1f} {y:.1f} {int(seen)}")
    return {
        "images.txt": "".join(f"{number} {name}\n" for number, name in zip(numbers, names, strict=True)),
        "image_class_labels.txt": "".join(f"{number} {1 + (number - 1) // EACH}\n" for number in numbers),
        "train_test_split.txt": "".join(f"{number} {int(number % 3 != 0)}\n" for number in numbers),
        "bounding_boxes.txt": "".join(f"{number} 30.0 8.0 70.0 72.0\n" for number in numbers),
        "classes.txt": "".join(f"{number} {name}\n" for number, name in enumerate(SPECIES, 1)),
        "parts/parts.txt": "".join(f"{number} {name}\n" for number, name in enumerate(PARTS, 1)),
        "parts/part_locs.txt": "\n".join(places) + "\n",
    }


def photographs(factor: float = 1.0) -> dict[str, bytes]:
    return {name: photograph(place // EACH, place % EACH, factor) for place, name in enumerate(files())}


def write_official(folder: Path) -> Path:
    """As CUB_200_2011.tgz unpacks."""
    contents = {name: text.encode() for name, text in lists().items()}
    contents |= {f"images/{name}": content for name, content in photographs().items()}
    for name, content in contents.items():
        path = folder / "CUB_200_2011" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def write_archive(path: Path, below: Path) -> Path:
    """The official archive."""
    write_official(below)
    with tarfile.open(path, "w:gz") as tar:
        tar.add(below / "CUB_200_2011", "CUB_200_2011")
    return path


def write_zips(folder: Path, species: tuple[int, ...] = (0, 1, 2), factor: float = 0.5) -> Path:
    """Made smaller, of some species only."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "CUB_200_2011_metadata.zip", "w") as made:
        for name, text in lists().items():
            made.writestr(name, text)
    rows = ["image_id,file,orig_width,orig_height,width,height"]
    with zipfile.ZipFile(folder / "cub3_images_60.zip", "w") as made:
        for place, (name, content) in enumerate(photographs(factor).items()):
            if place // EACH in species:
                made.writestr(name, content)
                small = [round(side * factor) for side in SIZE]
                rows.append(f"{place + 1},{name},{SIZE[0]},{SIZE[1]},{small[0]},{small[1]}")
        made.writestr("sizes.csv", "\n".join(rows) + "\n")
    return folder
