"""Many pictures as batches of squares, decoded by several threads and kept while there is room."""

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from pathlib import Path

import torch
from torch import Tensor

from .canvas import Frame, read_canvas

Progress = Callable[[int, int], None]
"""Called as progress(pictures looked at, pictures in all)."""

Canvas = tuple[Tensor, Frame]
"""A square (3, side, side) uint8, and how the picture lies in it."""

_KEPT = 1_000_000_000
_MOST_WORKERS = 8


class Canvases:
    """The pictures of a folder as squares (3, side, side), read when they are asked for.

    Pillow decodes and scales without Python's lock, so threads are workers enough. What was read is kept up
    to a number of bytes; the pictures of a small folder are decoded once.

    Args:
        folder: Where the files lie.
        files: Their names in it.
        side: Of the squares.
        fit: How a picture goes into one; see `read_canvas`.
        fill: The colour beside it.
        workers: Threads; 0 takes one a core, eight at most.
        keep: Bytes to keep.
    """

    def __init__(
        self,
        folder: Path,
        files: Sequence[str],
        side: int,
        *,
        fit: str = "whole",
        fill: tuple[int, int, int] = (128, 128, 128),
        workers: int = 0,
        keep: int = _KEPT,
    ) -> None:
        self.folder, self.files = folder, tuple(files)
        self.side, self.fit, self.fill = side, fit, fill
        self._pool = ThreadPoolExecutor(workers or min(os.cpu_count() or 1, _MOST_WORKERS))
        self._room = keep // (3 * side * side)
        self._kept: dict[int, Canvas] = {}

    def __len__(self) -> int:
        return len(self.files)

    def find_broken(self, progress: Progress | None = None) -> dict[int, str]:
        """Reads every picture once: the places of those that cannot be, and what is wrong with each."""
        broken = {}
        for place, found in enumerate(self._pool.map(self._try, range(len(self)))):
            if isinstance(found, str):
                broken[place] = found
            if progress is not None:
                progress(place + 1, len(self))
        return broken

    def without(self, places: Collection[int]) -> "Canvases":
        """The same pictures but for some; what was read of the others stays."""
        left = [place for place in range(len(self)) if place not in places]
        rest = copy(self)
        rest.files = tuple(self.files[place] for place in left)
        rest._kept = {new: self._kept[old] for new, old in enumerate(left) if old in self._kept}
        return rest

    def read(self, places: Sequence[int]) -> tuple[Tensor, list[Frame]]:
        """Some of the pictures, (b, 3, side, side) uint8, channels last, and how each lies in its square.

        Raises:
            ValueError: If one cannot be read; the message names it.
        """
        found = list(self._pool.map(self._one, places))
        pictures = torch.empty(
            len(found), 3, self.side, self.side, dtype=torch.uint8, memory_format=torch.channels_last
        )
        for row, (picture, _) in zip(pictures, found, strict=True):
            row.copy_(picture)
        return pictures, [frame for _, frame in found]

    def stream(self, batch: int) -> Iterator[tuple[list[int], list[Canvas | str]]]:
        """All pictures in their order, the next batch being read while one is worked on.

        Args:
            batch: Pictures at a time.

        Yields:
            Places, and of each the square and how the picture lies in it, or why it cannot be read.
        """
        waiting: deque[tuple[list[int], list[Future[Canvas | str]]]] = deque()
        for start in range(0, len(self), batch):
            places = list(range(start, min(start + batch, len(self))))
            waiting.append((places, [self._pool.submit(self._try, place) for place in places]))
            if len(waiting) > 1:
                yield _done(*waiting.popleft())
        while waiting:
            yield _done(*waiting.popleft())

    def _try(self, place: int) -> Canvas | str:
        try:
            return self._one(place)
        except ValueError as refusal:
            return str(refusal)

    def _one(self, place: int) -> Canvas:
        kept = self._kept.get(place)
        if kept is None:
            kept = read_canvas(self.folder / self.files[place], self.side, fit=self.fit, fill=self.fill)
            if len(self._kept) < self._room:
                self._kept[place] = kept
        return kept


def _done(places: list[int], found: list[Future[Canvas | str]]) -> tuple[list[int], list[Canvas | str]]:
    return places, [one.result() for one in found]
