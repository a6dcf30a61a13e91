"""Every choice of one training on a user's own pictures."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from ...data.canvas import FITS
from ..backbones import check_backbone
from ..training_config import TrainingConfig, check_choice, setting
from .families import FAMILIES, UNSCALED

IMAGE = "image"
"""Where a transformer may be put beside the layers of a backbone."""


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """Every choice of one training; each field's `metadata["help"]` says what it is.

    Raises:
        ValueError: If a value is out of range, or two do not go together.
        TypeError: If a value is of the wrong type.
    """

    recipe: ClassVar[str] = "images"
    CELL: ClassVar[tuple[str, ...]] = ("transform",)
    DATA: ClassVar[tuple[str, ...]] = ("DATA",)

    preset: str = setting(
        "Where the choices below come from: finetune or scratch.",
        "finetune",
        choices=("finetune", "scratch"),
    )
    transform: str = setting(
        "What transformers may do: affine, attention, free-form, projective, rigid, similarity, tps or "
        "translation; none without one.",
        "affine",
        choices=(*FAMILIES, "none"),
    )
    transformers: int = setting("How many look at the image side by side.", 1, least=1)
    at: str = setting(
        "Where transformers are: image, or layers of the backbone, or both, such as image,block2.", IMAGE
    )
    backbone: str = setting("small, efficientnet-lite0, or timm:NAME, a network of timm.")
    weights: str = setting("Of the backbone: imagenet or none.", choices=("imagenet", "none"))
    localisation: str = setting(
        "What looks where to look: same (another of the backbone), small, or shared (the backbone itself).",
        choices=("same", "small", "shared"),
    )
    size: int = setting("Side in pixels that images are brought to.", 224, least=32)
    crop: int = setting("Side of what each transformer passes on; 0 means `size`.", 0, least=0)
    zoom: float = setting(
        "Share of the image's side that each transformer starts with; 0: all, for several side by side.",
        0.0,
        least=0,
    )
    fit: str = setting("whole (beside it the mean colour) or crop (the middle).", "whole", choices=FITS)
    augment: str = setting(
        "What training does to the images: none, light or strong.",
        "light",
        choices=("none", "light", "strong"),
    )
    mirror: str = setting("Whether it may also mirror them: yes or no.", "yes", choices=("yes", "no"))
    balance: str = setting(
        "classes (each counts the same) or images (each counts the same).",
        "images",
        choices=("classes", "images"),
    )
    dropout: float = setting("Share of the features left out before the last layer.", 0.2, least=0)
    labels: str | None = setting("A CSV of files and labels, in place of subfolders.", None)
    validation: int = setting("Per cent of each class to judge by; not trained on.", 20, least=1)
    epochs: int = setting("Passes over the training images.", least=1)
    iterations: int = setting("Steps in place of epochs; 0 means that epochs count.", 0, least=0)
    workers: int = setting("Threads that decode images; 0 takes one a core.", 0, least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_backbone(self.backbone)
        if self.validation >= 100:
            raise ValueError(
                f"`validation` must leave images to train on: less than 100, got {self.validation}."
            )
        if self.dropout >= 1:
            raise ValueError(f"`dropout` must be less than 1, got {self.dropout}.")
        if not all(self.places):
            raise ValueError(f"`at` must name image or layers with commas between, got {self.at!r}.")
        if self.transformers > 1 and IMAGE not in self.places:
            raise ValueError(
                f"`transformers` counts those at the image, and `at` is {self.at!r}: name image there, "
                "too, or leave it 1."
            )
        if 0 < self.crop < 32 or self.crop > self.size:
            raise ValueError(f"`crop` must be 0 or from 32 to `size`, {self.size}, got {self.crop}.")

        if self.zoom > 1 or (self.zoom and (self.transform in UNSCALED or IMAGE not in self.places)):
            raise ValueError(
                "`zoom` must be at most 1, for transformers at the image, of a family other than "
                f"{', '.join(UNSCALED)}; got {self.zoom:g} with {self.transform} at {self.at}."
            )

    @property
    def places(self) -> tuple[str, ...]:
        """Where transformers are, in the order of `at`."""
        return tuple(place.strip() for place in self.at.split(","))

    @property
    def seen(self) -> int:
        """Side of what the backbone sees."""
        return self.crop or self.size

    @property
    def cell(self) -> str:
        looks = f"{self.transformers}x{self.transform}" if self.transformers > 1 else self.transform
        where = "" if self.transform == "none" or self.places == (IMAGE,) else f"-at-{'-'.join(self.places)}"
        return f"{self.backbone.replace(':', '-').replace('/', '-')}/{looks}{where}"

    @property
    def title(self) -> str:
        folder = "" if self.data_dir is None else f"-{Path(self.data_dir).resolve().name}"
        return f"{self.recipe}{folder}-{super().title}"

    def untrained(self) -> Self:
        return replace(self, weights="none")

    def for_epochs_of(self, per_epoch: int) -> Self:
        iterations = self.iterations or self.epochs * per_epoch
        return replace(self, iterations=iterations, warm_up=min(self.warm_up, iterations // 10))

    @classmethod
    def make(cls, preset: str | None = None, **choices: Any) -> Self:
        """As of every config; the small backbone has no weights but those it is trained to."""
        if choices.get("backbone") == "small" and choices.get("weights") is None:
            choices["weights"] = "none"
        made = super().make(preset, **choices)
        if made.backbone == "small":
            check_choice("weights", made.weights, ("none",))
        return made
