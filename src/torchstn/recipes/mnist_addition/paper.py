"""The paper's test errors in per cent (table 4)."""

from .config import Config

_PAPER = {
    "fcn": 47.7,
    "cnn": 14.7,
    "st-fcn-affine": 22.6,
    "st-fcn-projective": 18.5,
    "st-fcn-tps": 19.1,
    "2xst-fcn-affine": 9.0,
    "2xst-fcn-projective": 5.9,
    "2xst-fcn-tps": 5.8,
}


def paper_error(config: Config) -> float | None:
    """The paper's test error of a cell in per cent."""
    return _PAPER[config.network]
