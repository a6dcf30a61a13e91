"""Small photographs of house numbers in the official format and in that of a zip with a CSV."""

import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np
from PIL import Image, ImageDraw

from torchstn.data.svhn import Box, House

FIELDS = ("height", "left", "top", "width", "label")
TALL, WIDE = 18, 10


def house(name: str, number: str, left: int = 9, top: int = 7) -> House:
    """Digits side by side, from this corner on."""
    boxes = tuple(Box(left + k * (WIDE + 1), top, WIDE, TALL) for k in range(len(number)))
    return House(name, tuple(map(int, number)), boxes)


def houses(count: int, first: int = 1, kind: str = "png") -> list[House]:
    """Numbers of one to five digits, 1.png and so on."""
    numbers = [str(10 ** (k % 5) * (1 + k % 9) + k % 7)[:5] for k in range(count)]
    return [house(f"{first + k}.{kind}", number, 5 + k % 7, 4 + k % 5) for k, number in enumerate(numbers)]


def photograph(of: House, seed: int = 0) -> Image.Image:
    """Light digits on a dark, noisy wall."""
    right, bottom = of.around.left + of.around.width, of.around.top + of.around.height
    size = (int(bottom) + 9, int(right) + 8, 3)
    noise = np.random.default_rng(seed).integers(0, 60, size, dtype=np.uint8)
    picture = Image.fromarray(noise)
    drawing = ImageDraw.Draw(picture)
    for digit, box in zip(of.digits, of.boxes, strict=True):
        drawing.text((box.left, box.top - 2), str(digit), fill=(230, 220, 200), font_size=TALL)
    return picture


def write_official(folder: Path, of: Sequence[House]) -> Path:
    """As train.tar.gz unpacks: the photographs as PNG, and digitStruct.mat."""
    folder.mkdir(parents=True)
    for one in of:
        photograph(one).save(folder / one.file)
    write_digit_struct(folder / "digitStruct.mat", of)
    return folder


def write_digit_struct(path: Path, of: Sequence[House]) -> None:
    """As MATLAB 7.3 lays a struct array out: references, one to each name and one to each group of boxes."""
    with h5py.File(path, "w", userblock_size=512) as mat:
        hidden = mat.create_group("#refs#")
        names, groups = [], []
        for k, one in enumerate(of):
            text = np.array([[ord(letter)] for letter in one.file], dtype=np.uint16)
            names.append(hidden.create_dataset(f"n{k}", data=text).ref)
            groups.append(_boxes(hidden, f"b{k}", one).ref)
        for name, references in (("name", names), ("bbox", groups)):
            column = np.array(references, dtype=h5py.ref_dtype)[:, None]
            mat.create_dataset(f"digitStruct/{name}", data=column, dtype=h5py.ref_dtype)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")


def _boxes(hidden: h5py.Group, name: str, of: House) -> h5py.Group:
    group = hidden.create_group(name)
    for field in FIELDS:
        values = [
            float(digit or 10) if field == "label" else float(getattr(box, field))
            for digit, box in zip(of.digits, of.boxes, strict=True)
        ]
        if len(values) == 1:  # of a single digit the number itself, of several one reference each
            group.create_dataset(field, data=[[values[0]]])
            continue
        references = [
            hidden.create_dataset(f"{name}{field}{k}", data=[[value]]).ref for k, value in enumerate(values)
        ]
        column = np.array(references, dtype=h5py.ref_dtype)[:, None]
        group.create_dataset(field, data=column, dtype=h5py.ref_dtype)
    return group


def write_zip(path: Path, of: Sequence[House]) -> Path:
    """The photographs and labels.csv, with columns of its own beside those that matter."""
    lines = ["file,digits,width,height,boxes_left:top:width:height"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as made:
        for one in of:
            picture = photograph(one)
            buffer = BytesIO()
            picture.save(buffer, "png")
            made.writestr(one.file, buffer.getvalue())
            boxes = "|".join(":".join(f"{side:g}" for side in box) for box in one.boxes)
            lines.append(
                f"{one.file},{''.join(map(str, one.digits))},{picture.width},{picture.height},{boxes}"
            )
        made.writestr("labels.csv", "\n".join(lines) + "\n")
    return path


def write_data(folder: Path, train: int = 40, test: int = 12) -> Path:
    """A folder to train from: one part official, the other a zip."""
    write_official(folder / "train", houses(train))
    write_zip(folder / "full_test_12.zip", houses(test, first=7))
    return folder
