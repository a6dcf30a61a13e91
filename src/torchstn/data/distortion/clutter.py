"""TC: the digit somewhere on a large canvas, among pieces of other digits."""

from dataclasses import dataclass

import torch
from torch import Tensor

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

    def _distort(self, batch: Batch) -> Tensor:
        canvas = torch.zeros(len(batch.images), *self.size)
        canvas[_squares(self._corner(batch, "place", DIGIT), DIGIT)] = batch.digits[:, 0]
        for piece in range(self.pieces):
            corner = self._corner(batch, f"piece {piece} to", self.side)
            canvas[_squares(corner, self.side)] += self._cut(batch, piece)
        return canvas.unsqueeze(1)

    def _corner(self, batch: Batch, purpose: str, side: int) -> Tensor:
        """Top left corners, int64 (b, 2) as (row, column), of squares anywhere fully inside the canvas."""
        rows = batch.draws.integers(f"{purpose} row", 1, self.size[0] - side + 1)
        columns = batch.draws.integers(f"{purpose} column", 1, self.size[1] - side + 1)
        return torch.cat((torch.from_numpy(rows), torch.from_numpy(columns)), dim=1)

    def _cut(self, batch: Batch, piece: int) -> Tensor:
        """One piece for each picture, float32 (b, side, side)."""
        clutter = batch.clutter
        if clutter is None or len(clutter) == 0:
            raise ValueError("`clutter` must hold the digits that pieces are cut from, but there are none.")
        chosen = torch.from_numpy(batch.draws.integers(f"piece {piece} of", 1, len(clutter))[:, 0])
        shown = (clutter[chosen] == batch.images).flatten(1).all(dim=1)
        chosen = torch.where(shown, (chosen + 1) % len(clutter), chosen)
        corner = batch.draws.integers(f"piece {piece} from", 2, DIGIT - self.side + 1)
        _, rows, columns = _squares(torch.from_numpy(corner), self.side)
        return clutter[chosen[:, None, None], rows, columns].float() / 255


def _squares(corner: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Indices (image, row, column) of one square in each image, top left `corner` (b, 2)."""
    span = torch.arange(side)
    images = torch.arange(len(corner))[:, None, None]
    return images, corner[:, 0, None, None] + span[:, None], corner[:, 1, None, None] + span
