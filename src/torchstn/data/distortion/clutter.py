"""TC: the digit somewhere on a large canvas, among pieces of other digits."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..random import Draws
from .base import DIGIT, Batch, Distortion


@dataclass(frozen=True)
class Cluttered(Distortion):
    """TC: puts the digit at a random place of a black canvas and adds pieces cut from other digits.

    Readings: the digit's image lies anywhere fully inside the canvas, at whole pixels, so that nothing is
    interpolated. Each piece is cut at a uniformly random place from the image of a uniformly random digit
    of `clutter` (it may be blank, or hold the end of a stroke), and lies anywhere fully inside the canvas.
    Pieces add to what is there, and the sum is cut off at full ink. A piece is never from the very image
    shown: where that one is drawn, the next of `clutter` takes its place.
    """

    size: tuple[int, int] = (60, 60)
    pieces: int = 6
    side: int = 6
    """Of a piece, in pixels."""

    def boxes(self, indices: Tensor, *, seed: int, epoch: int) -> Tensor:
        """Where the digit's image lies in each picture.

        Args:
            indices: int64 (b,), as in the call that makes the pictures; so are the others.
            seed: As there.
            epoch: As there.

        Returns:
            The outer edges of the square of 28 in pixels, int64 (b, 4) as (x0, y0, x1, y1).
        """
        top, left = self._corner(Draws(seed, epoch, indices.numpy()), "place", DIGIT)
        return torch.stack((left, top, left + DIGIT, top + DIGIT), dim=1)

    def _distort(self, batch: Batch) -> Tensor:
        canvas = torch.zeros(len(batch.images), *self.size)
        each = torch.arange(len(canvas))
        _squares(canvas, DIGIT)[each, *self._corner(batch.draws, "place", DIGIT)] = batch.digits[:, 0]
        squares = _squares(canvas, self.side)
        for piece in range(self.pieces):
            squares[each, *self._corner(batch.draws, f"piece {piece} to", self.side)] += self._cut(
                batch, piece
            )
        return canvas.unsqueeze(1)

    def _corner(self, draws: Draws, purpose: str, side: int) -> tuple[Tensor, Tensor]:
        """Rows and columns, each int64 (b,), of the top left of squares anywhere fully inside the canvas."""
        rows = draws.integers(f"{purpose} row", 1, self.size[0] - side + 1)
        columns = draws.integers(f"{purpose} column", 1, self.size[1] - side + 1)
        return torch.from_numpy(rows[:, 0]), torch.from_numpy(columns[:, 0])

    def _cut(self, batch: Batch, piece: int) -> Tensor:
        """One piece for each picture, float32 (b, side, side)."""
        clutter = batch.clutter
        if clutter is None or len(clutter) == 0:
            raise ValueError("`clutter` must hold the digits that pieces are cut from, but there are none.")
        chosen = torch.from_numpy(batch.draws.integers(f"piece {piece} of", 1, len(clutter))[:, 0])
        shown = (_words(clutter).index_select(0, chosen) == _words(batch.images)).all(dim=1)
        chosen = torch.where(shown, (chosen + 1) % len(clutter), chosen)
        corner = torch.from_numpy(batch.draws.integers(f"piece {piece} from", 2, DIGIT - self.side + 1))
        return _squares(clutter, self.side)[chosen, corner[:, 0], corner[:, 1]].float() / 255


def _words(images: Tensor) -> Tensor:
    """Images (n, 28, 28) as rows of long words, which compare eight pixels at once."""
    return images.reshape(-1, DIGIT * DIGIT).view(torch.int64)


def _squares(images: Tensor, side: int) -> Tensor:
    """Every square of images (n, h, w) by its top left: (n, rows, columns, side, side), a view."""
    return images.unfold(1, side, 1).unfold(2, side, 1)
