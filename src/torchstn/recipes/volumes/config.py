"""Every choice of one training on digits in space."""

from dataclasses import dataclass
from typing import ClassVar

from ..digit_config import DigitConfig
from ..training_config import setting

MODELS = ("st", "projection", "cnn-3d")


@dataclass(frozen=True, kw_only=True)
class Config(DigitConfig):
    """Every choice of one training; each field's `metadata["help"]` says what it is.

    Raises:
        ValueError: If a value is out of range, or two do not go together.
        TypeError: If a value is of the wrong type.
    """

    recipe: ClassVar[str] = "volumes"
    CELL: ClassVar[tuple[str, ...]] = ("model",)

    model: str = setting(
        "The network: st (a transformer, then a projection), projection alone, or cnn-3d.",
        "st",
        choices=MODELS,
    )
    degrees: float = setting("Largest angle by which a digit is turned in space.", least=0)

    @property
    def cell(self) -> str:
        return f"3d/{self.model}"
