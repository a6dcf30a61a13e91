"""Every choice of one co-localisation."""

from dataclasses import dataclass
from typing import ClassVar

from ..digits import MNIST_FOLDER
from ..training_config import Choices, setting

SETS = ("T", "TC")
DIGITS = tuple(map(str, range(10)))
STRIDE = 4
"""Of the localisation network, as the paper's text has it; its number of parameters says 1."""


@dataclass(frozen=True, kw_only=True)
class Optimisation(Choices):
    """How to look for what images have in common, whatever they show."""

    recipe: ClassVar[str] = "co-localisation"

    iterations: int = setting("Steps of the optimiser.", least=1)
    batch: int = setting("Images a step; all pairs of them are used.", least=2)
    learning_rate: float = setting("The learning rate of AdamW at its highest.", least=0)
    warm_up: int = setting("Iterations until the full learning rate.", least=0)
    stride: int = setting("Of the localisation network's convolution.", least=1)
    hidden: int = setting("Units of its two fully connected layers.", least=1)
    growth: float = setting("The window's scale stays within this factor of the patches', 1/3.", least=1)
    partner: str = setting(
        "held: the other crop of a pair is a constant; free: it gets its gradient too.",
        choices=("held", "free"),
    )
    patches: int = setting("Random patches of each image, the negatives.", least=1)
    rounds: int = setting("Rounds of the search among the patches; 0 for none.", least=0)
    pull: float = setting("How strongly the patches that were found attract the transformer.", least=0)
    attempts: int = setting("Optimisations from other starts; the one of least loss stays.", least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warm_up >= self.iterations:
            raise ValueError(
                f"`warm_up` must be less than {self.iterations} `iterations`, got {self.warm_up}."
            )


@dataclass(frozen=True, kw_only=True)
class Config(Optimisation):
    """Every choice of one cell of the table; each field's `metadata["help"]` says what it is.

    Raises:
        ValueError: If a value is out of range.
        TypeError: If a value is of the wrong type.
    """

    CELL: ClassVar[tuple[str, ...]] = ("set", "digit")

    set: str = setting("T (translated digits) or TC (translated, among clutter).", "TC", choices=SETS)
    digit: str = setting("Which digit the images share: 0 to 9.", "8", choices=DIGITS)
    data_dir: str | None = setting(MNIST_FOLDER, None)
    images: int = setting("Images to find it in.", 100, least=2)
    encoder_dir: str | None = setting(
        "A run of distorted-mnist with a cnn on 28 x 28 pixels; default, one trained beside the run.", None
    )
    encoder_iterations: int = setting("Steps of that training.", 1_400, least=20)

    @property
    def cell(self) -> str:
        other = "" if self.stride == STRIDE else f"-stride-{self.stride}"
        return f"{self.set.lower()}{other}/digit-{self.digit}"
