import numpy as np
import pytest
import torch
from scipy import stats

from torchstn.data import Cluttered, load_mnist

MANY = torch.arange(3000)


def black(count):
    return torch.zeros(count, 28, 28, dtype=torch.uint8)


def white(count):
    return black(count) + 255


def cluttered(images, clutter, *, epoch=0, **options):
    return Cluttered(**options)(images, torch.arange(len(images)), seed=0, epoch=epoch, clutter=clutter)[:, 0]


def top_left(pictures):
    """First row and column with ink, of each picture."""
    inked = pictures > 0
    return inked.any(dim=2).int().argmax(dim=1), inked.any(dim=1).int().argmax(dim=1)


def test_the_digit_is_whole_and_anywhere_inside():
    pictures = cluttered(white(3000), black(5))
    assert (pictures.flatten(1).sum(dim=1) == 28 * 28).all()
    for place in top_left(pictures):
        counts = place.bincount(minlength=33)
        assert len(counts) == 33
        assert stats.chisquare(counts.numpy()).pvalue > 1e-3


def test_row_and_column_are_drawn_apart():
    rows, columns = top_left(cluttered(white(3000), black(5)))
    assert abs(np.corrcoef(rows.numpy(), columns.numpy())[0, 1]) < 5 / np.sqrt(3000)


def test_a_piece_is_six_by_six_and_anywhere_inside():
    pictures = cluttered(black(3000), white(5), pieces=1)
    assert (pictures.flatten(1).sum(dim=1) == 36).all()
    for place in top_left(pictures):
        counts = place.bincount(minlength=55)
        assert len(counts) == 55
        assert stats.chisquare(counts.numpy()).pvalue > 1e-3


def test_there_are_six_pieces():
    """Six pieces of 36 pixels; where some overlap, less is covered."""
    covered = cluttered(black(3000), white(5)).flatten(1).sum(dim=1)
    assert covered.max() == 6 * 36
    assert (covered == 6 * 36).float().mean() > 0.5


def test_pieces_are_cut_evenly_from_all_over_all_digits(seed):
    """Noise has no two like pieces, so each can be found where it was cut."""
    clutter = torch.randint(1, 256, (4, 28, 28), dtype=torch.uint8)
    pictures = (cluttered(black(3000), clutter, pieces=1) * 255).round().to(torch.uint8)
    rows, columns = top_left(pictures)
    cuts = clutter.unfold(1, 6, 1).unfold(2, 6, 1)  # (digit, row, column, 6, 6)
    found = []
    for picture, row, column in zip(pictures, rows, columns, strict=True):
        same = (cuts == picture[row : row + 6, column : column + 6]).flatten(3).all(dim=3)
        (place,) = same.nonzero().tolist()
        found.append(place)
    for axis, choices in enumerate((4, 23, 23)):
        counts = np.bincount(np.array(found)[:, axis], minlength=choices)
        assert stats.chisquare(counts).pvalue > 1e-3


def test_ink_adds_up_and_is_cut_off_at_full():
    grey = white(1) - 155  # 100
    pictures = (cluttered(grey.expand(3000, 28, 28), grey + 28) * 255).round()
    assert set(pictures.unique().tolist()) == {0, 100, 128, 228, 255}


def test_no_piece_comes_from_the_digit_shown():
    """Of two clutter digits one is the shown: only the other's value may be added."""
    shown, other = white(1) - 245, white(1) - 55  # 10 and 200
    pictures = (cluttered(shown.expand(500, 28, 28), torch.cat((other, shown))) * 255).round()
    assert {0, 10, 200, 210} <= set(pictures.unique().tolist()) <= {0, 10, 200, 210, 255}


def test_a_training_digit_is_taken_unchanged():
    digits = load_mnist().train_images[:16]
    pictures = cluttered(digits, digits, pieces=0)
    for picture, digit in zip(pictures, digits, strict=True):
        windows = picture.unfold(0, 28, 1).unfold(1, 28, 1)
        assert (windows == digit / 255).flatten(2).all(dim=2).any()


@pytest.mark.parametrize("size", [(28, 28), (28, 40), (61, 33)])
def test_canvases_of_other_sizes(size):
    pictures = cluttered(white(50), black(1), size=size)
    assert pictures.shape == (50, *size)
    assert (pictures.flatten(1).sum(dim=1) == 28 * 28).all()


def test_the_box_is_where_the_digit_lies():
    digits = load_mnist().train_images[:16]
    places, version = torch.arange(16), {"seed": 3, "epoch": 2}
    canvas = Cluttered(size=(84, 70), pieces=0)
    pictures = canvas(digits, places, clutter=digits, **version)[:, 0]
    for picture, digit, box in zip(pictures, digits, canvas.boxes(places, **version), strict=True):
        x0, y0, x1, y1 = box.tolist()
        assert torch.equal(picture[y0:y1, x0:x1], digit / 255)
