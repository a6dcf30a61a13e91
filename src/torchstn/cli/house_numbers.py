"""What networks on house numbers do: the product of their transformers on the crop, and what they read."""

from functools import reduce
from operator import matmul

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ..data.svhn import NOTHING
from ..figures import box_figure, paper_figure
from ..grid import Grid
from ..recipes.finished import Finished
from ..recipes.samples import Samples
from ..recipes.svhn import SequenceReader
from ..recipes.svhn.data import HouseNumbers
from ..sampler import sample
from ..transform import Affine
from .choosing import Wanted, pick
from .digit_pictures import check_same
from .looking import Survey


def draw_numbers(
    finished: Finished, samples: Samples, wanted: Wanted, other: tuple[Finished, Samples] | None
) -> dict[str, Figure]:
    """The pictures by name: numbers, with the product of all transformers; boxes, with those on the way.

    Arguments and refusals are those of `draw_digits`.
    """
    assert isinstance(samples, HouseNumbers)
    seen, above, missed = _survey(finished.model, samples), None, None
    if other is not None:
        assert isinstance(other[1], HouseNumbers)
        missed = _survey(other[0].model, other[1])
        check_same(seen.labels, missed.labels)
    places = pick(seen, wanted, missed)
    if other is not None and missed is not None:
        network = other[0].config.cell.rpartition("/")[2]
        above = [f"{network}: {words_of(code)}" for code in missed.predictions[places].tolist()]
    read, truth = (
        [words_of(code) for code in codes[places].tolist()] for codes in (seen.predictions, seen.labels)
    )
    pictures = samples.pictures(places)
    grids = products(finished.model, samples.inputs(places))
    outputs = [sample(pictures, grid) for grid in grids]
    product, output = (grids[-1], outputs[-1]) if grids else (None, None)
    figures = {"numbers": paper_figure(pictures, product, output, read, truth, above=above, cells=1)}
    if len(grids) > 1:
        figures["boxes"] = box_figure(pictures, grids, outputs, read, truth)
    return figures


@torch.no_grad()
def products(model: SequenceReader, inputs: Tensor) -> list[Grid]:
    """What each transformer reads, seen from the image: its grid after those of all before it.

    Between two of them maps are convolved and halved, neither of which moves anything in coordinates whose
    -1 and 1 are the edges.
    """
    grids = model.look(inputs)[1]
    size = (inputs.shape[-2], inputs.shape[-1])
    whole = Affine()(Affine().identity().expand(len(inputs), -1), size)
    return [reduce(matmul, [*grids[: k + 1], whole]) for k in range(len(grids))]


@torch.no_grad()
def _survey(model: SequenceReader, samples: HouseNumbers) -> Survey:
    """Labels and predictions as one whole number each."""
    labels, predictions, moved = [], [], []
    for pictures, digits in samples.held_out():
        logits, grids = model.look(pictures)
        labels.append(codes_of(digits))
        predictions.append(codes_of(logits.argmax(-1)))
        if grids:
            product = reduce(matmul, grids)
            moved.append(product.displacement().square().mean((1, 2, 3)))
    return Survey(torch.cat(labels), torch.cat(predictions), torch.cat(moved) if moved else None)


def codes_of(digits: Tensor) -> Tensor:
    """Sequences (n, 5) of classes 0 to 10 as whole numbers (n,)."""
    base = torch.tensor([(NOTHING + 1) ** k for k in range(digits.shape[1])])
    return (digits * base).sum(1)


def words_of(code: int) -> str:
    """A sequence as one reads it, a digit that is missing between two as a dot."""
    classes = []
    for _ in range(5):
        code, last = divmod(code, NOTHING + 1)
        classes.append("." if last == NOTHING else str(last))
    return "".join(classes).rstrip(".") or "nothing"
