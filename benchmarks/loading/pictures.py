"""The pictures to load: photographs of scikit-image, cropped, as JPEG and PNG of usual sizes."""

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

KINDS = {
    "480 x 360 JPEG": (360, 480, "jpg"),
    "1600 x 1200 JPEG": (1200, 1600, "jpg"),
    "480 x 360 PNG": (360, 480, "png"),
}


def draw_pictures(folder: Path, kind: str, count: int) -> list[str]:
    """Writes pictures of a kind; gives their names."""
    h, w, ending = KINDS[kind]
    draws = np.random.default_rng(0)
    sources = [Image.fromarray(getattr(skimage.data, name)()) for name in ("astronaut", "coffee", "chelsea")]
    names = []
    for number in range(count):
        source = sources[number % len(sources)]
        left, top = draws.integers(0, source.width // 3), draws.integers(0, source.height // 3)
        region = (left, top, left + source.width * 2 // 3, top + source.height * 2 // 3)
        picture = source.resize((w, h), Image.Resampling.BICUBIC, region)
        names.append(f"{number:04d}.{ending}")
        picture.save(folder / names[-1])
    return names
