"""Every choice of one training on house numbers."""

from dataclasses import dataclass
from typing import ClassVar

from ..training_config import TrainingConfig, setting

MODELS = ("cnn", "st-cnn-single", "st-cnn-multi")
NO_EXTRA = "none"
_OFFICIAL_EXTRA = "extra"


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """Every choice of one training; each field's `metadata["help"]` says what it is.

    Raises:
        ValueError: If a value is out of range, or two do not go together.
        TypeError: If a value is of the wrong type.
    """

    recipe: ClassVar[str] = "svhn"
    CELL: ClassVar[tuple[str, ...]] = ("pixels", "model")

    preset: str = setting(
        "Where the choices below come from: demo, quarter (of the paper's width) or paper.",
        "quarter",
        choices=("demo", "quarter", "paper"),
    )
    data_dir: str | None = setting(
        "Folder of the photographs; default, where torchstn data get svhn puts them.", None
    )
    pixels: str = setting(
        "Side of the crops: 64, or 128 with more of the surroundings.", "64", choices=("64", "128")
    )
    model: str = setting(
        "The network: cnn, st-cnn-single (a transformer on the image) or st-cnn-multi (four in depth).",
        "st-cnn-multi",
        choices=MODELS,
    )
    extra: str = setting("Further photographs of the data to train on, such as extra.", NO_EXTRA)
    extra_after: int = setting("Leave out of them those numbered up to this, as in 1000.jpg.", 0, least=0)
    width: float = setting("Of every layer, over the paper's.", least=0.01)
    normalisation: str = setting(
        "none, or batch: batch normalisation before each ReLU.", choices=("none", "batch")
    )
    dropout: float = setting("Share of a fully connected layer's outputs that training drops.", least=0)
    drop_maps: float = setting("Share of a convolution's outputs that it drops, but for the first.", least=0)
    shift: float = setting("Crops to train on are moved by up to this share of their side.", least=0)
    stretch: float = setting("Their width and height are changed by up to this factor, less 1.", least=0)
    turn: float = setting("They are turned and sheared by up to so many degrees.", least=0)
    negatives: float = setting("So many of them, as a share, are turned into their negatives.", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.extra or set(self.extra) & set("/\\."):
            raise ValueError(
                f"`extra` must be the name of a folder or zip without its ending, got {self.extra!r}."
            )
        for name in ("dropout", "drop_maps", "negatives"):
            if getattr(self, name) >= 1:
                raise ValueError(f"`{name}` must be less than 1, got {getattr(self, name)}.")

    @property
    def cell(self) -> str:
        # The paper trains on the official extra photographs too; others make another column.
        others = "" if self.extra in (NO_EXTRA, _OFFICIAL_EXTRA) else f"-{self.extra}"
        return f"{self.pixels}px{others}/{self.model}"

    @property
    def title(self) -> str:
        more = "" if self.extra == NO_EXTRA else f"{self.extra}-"
        return f"svhn-{self.pixels}px-{more}{self.model}"

    @property
    def side(self) -> int:
        """Of the crops in pixels."""
        return int(self.pixels)
