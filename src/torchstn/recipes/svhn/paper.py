"""The paper's sequence errors in per cent (table 2)."""

from .config import Config

_PAPER = {
    "64px/cnn": 4.0,
    "64px/st-cnn-single": 3.7,
    "64px/st-cnn-multi": 3.6,
    "128px/cnn": 5.6,
    "128px/st-cnn-single": 3.9,
    "128px/st-cnn-multi": 3.9,
}


def paper_error(config: Config) -> float | None:
    """The paper's sequence error of a cell in per cent; None with other photographs than its own."""
    return _PAPER.get(config.cell)
