"""The paper's accuracies (table 3)."""

from .config import Config

CLASSES = 200
_ACCURACY = {"224px/cnn": 82.3, "224px/2xst-cnn": 83.1, "448px/2xst-cnn": 83.9, "448px/4xst-cnn": 84.1}


def paper_accuracy(config: Config) -> float | None:
    """The paper's accuracy in per cent on all 200 species; of fewer it says nothing."""
    return _ACCURACY.get(config.cell) if config.classes == CLASSES else None
