"""Every choice of one training on birds."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from ..backbones import check_backbone
from ..training_config import TrainingConfig, setting

MODELS = {"cnn": 0, "2xst-cnn": 2, "4xst-cnn": 4}
"""How many transformers each network has."""
SEEN = 224
"""The most pixels along a side of what a backbone gets to see."""
_MARGIN = 8 / 7  # 256 pixels of which 224 are seen


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """Every choice of one training; each field's `metadata["help"]` says what it is.

    Raises:
        ValueError: If a value is out of range, or two do not go together.
        TypeError: If a value is of the wrong type.
    """

    recipe: ClassVar[str] = "birds"
    CELL: ClassVar[tuple[str, ...]] = ("pixels", "model")

    data_dir: str | None = setting(
        "Folder of CUB-200-2011; default, where torchstn data get cub puts it.", None
    )
    model: str = setting(
        "The network: cnn, or two (2xst-cnn) or four (4xst-cnn) transformers before one each.",
        "2xst-cnn",
        choices=tuple(MODELS),
    )
    pixels: str = setting(
        "Side of the pictures in pixels. Networks see 224 at most, so what is cropped of 448 loses nothing.",
        "224",
        choices=("64", "112", "224", "448"),
    )
    classes: int = setting("Of the 200 species, the first so many.", least=2)
    backbone: str = setting("efficientnet-lite0, timm:NAME or small.")
    weights: str = setting(
        "Of the backbones before training: imagenet or none.", "imagenet", choices=("imagenet", "none")
    )
    dropout: float = setting("Share of the features dropped before the last layer.", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_backbone(self.backbone)
        if self.dropout >= 1:
            raise ValueError(f"`dropout` must be less than 1, got {self.dropout}.")

    def untrained(self) -> Self:
        return replace(self, weights="none")

    @property
    def cell(self) -> str:
        return f"{self.pixels}px/{self.model}"

    @property
    def title(self) -> str:
        return f"birds-{super().title}"

    @property
    def transformers(self) -> int:
        """How many there are."""
        return MODELS[self.model]

    @property
    def side(self) -> int:
        """Pixels along a side of the pictures."""
        return int(self.pixels)

    @property
    def seen(self) -> int:
        """Pixels along a side of what the backbones see."""
        return min(self.side, SEEN)

    @property
    def shorter_side(self) -> int:
        """Of the photographs that pictures are cropped from."""
        return round(self.side * _MARGIN)
