"""What a photograph of a house number says, and where its digits are."""

from dataclasses import dataclass
from typing import NamedTuple

from ..pictures import MOST_PIXELS


class Box(NamedTuple):
    """A rectangle in pixels of its photograph; pixel (i, j) covers [j, j + 1] x [i, i + 1]."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class House:
    """One photograph.

    Attributes:
        file: Its name, as the annotation has it.
        digits: In reading order, as they are annotated, each 0 to 9.
        boxes: Around each of them.

    Raises:
        ValueError: If there is no digit, one is none, there are not as many boxes, or one is empty or not of
            numbers that a photograph can have.
    """

    file: str
    digits: tuple[int, ...]
    boxes: tuple[Box, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.digits) == len(self.boxes):
            raise ValueError(f"{self.file} has {len(self.digits)} digits and {len(self.boxes)} boxes.")
        if not all(0 <= digit <= 9 for digit in self.digits):
            raise ValueError(f"{self.file}: each digit must be 0 to 9, got {self.digits}.")
        # No photograph that is read is longer; NaN is refused by any comparison.
        if not all(abs(side) <= MOST_PIXELS for box in self.boxes for side in box):
            raise ValueError(
                f"{self.file}: each box must be of numbers up to {MOST_PIXELS}, got {self.boxes}."
            )
        # Not only above 0: a width of 1e-20 at 5 ends where it began.
        if not all(x + w > x and y + h > y for x, y, w, h in self.boxes):
            raise ValueError(f"{self.file}: each box must have an extent, got {self.boxes}.")

    @property
    def around(self) -> Box:
        """The smallest box around all digits."""
        left, top = min(box.left for box in self.boxes), min(box.top for box in self.boxes)
        right = max(box.left + box.width for box in self.boxes)
        bottom = max(box.top + box.height for box in self.boxes)
        return Box(left, top, right - left, bottom - top)
