"""Every choice of one training on sums of two digits."""

from dataclasses import dataclass
from typing import ClassVar

from ..network_config import NetworkConfig
from ..training_config import setting

MODELS = ("fcn", "cnn", "st-fcn", "2xst-fcn")


@dataclass(frozen=True, kw_only=True)
class Config(NetworkConfig):
    """Every choice of one training; each field's `metadata["help"]` says what it is.

    Raises:
        ValueError: If a value is out of range, or two do not go together.
        TypeError: If a value is of the wrong type.
    """

    recipe: ClassVar[str] = "mnist-addition"
    CELL: ClassVar[tuple[str, ...]] = ("model", "transform")

    preset: str = setting(
        "Where the choices below come from: demo, quick, long (as quick, twice the time) or paper.",
        "quick",
        choices=("demo", "quick", "long", "paper"),
    )
    model: str = setting(
        "The network: fcn, cnn, or fcn behind one (st-fcn) or two (2xst-fcn) spatial transformers.",
        "2xst-fcn",
        choices=MODELS,
    )

    @property
    def cell(self) -> str:
        return f"rts/{self.network}"

    @property
    def title(self) -> str:
        return f"addition-{self.network}"
