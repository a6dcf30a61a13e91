"""Every choice of one training on distorted digits."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ...data import DISTORTIONS
from ..network_config import NetworkConfig
from ..training_config import setting

MODELS = ("fcn", "cnn", "st-fcn", "st-cnn", "st-deep")

_OTHER = {"drawn": "once", "corners": "edges", "pooling": "unpooled"}
"""The readings of the paper that are not the ones taken."""


@dataclass(frozen=True, kw_only=True)
class Config(NetworkConfig):
    """Every choice of one training; each field's `metadata["help"]` says what it is.

    Raises:
        ValueError: If a value is out of range, or two do not go together.
        TypeError: If a value is of the wrong type.
    """

    recipe: ClassVar[str] = "distorted-mnist"
    CELL: ClassVar[tuple[str, ...]] = ("distortion", "model", "transform")

    preset: str = setting(
        "Where the choices below come from: demo, quick, full, long, paper, or best (for st-deep).",
        "quick",
        choices=("demo", "quick", "full", "long", "paper", "best"),
    )
    distortion: str = setting(
        "What is done to the digits: none, R, RTS, P, E or TC; RTS-undone is RTS perfectly straightened.",
        "RTS",
        choices=tuple(DISTORTIONS),
    )
    model: str = setting(
        "The network: fcn, cnn, or st-fcn, st-cnn with a spatial transformer before it; st-deep goes beyond.",
        "st-cnn",
        choices=MODELS,
    )
    drawn: str = setting(
        "When training digits are distorted: anew in every epoch, or once for all of them.",
        "anew",
        choices=("anew", "once"),
    )
    corners: str = setting(
        "Where -1 and 1 lie for the transformer: at the corner pixels' centres, or at the image's edges.",
        "centres",
        choices=("centres", "edges"),
    )
    pooling: str = setting(
        "Whether RTS and TC are averaged down by two behind the transformer: pooled or unpooled.",
        "pooled",
        choices=("pooled", "unpooled"),
    )

    @property
    def cell(self) -> str:
        """The data, with every reading of the paper that is not the one taken, then the network."""
        other = [reading for name, reading in _OTHER.items() if getattr(self, name) == reading]
        return f"{'-'.join((self.distortion.lower(), *other))}/{self.network}"


def make_config(
    distortion: str, model: str, transform: str = "affine", preset: str = "quick", **choices: Any
) -> Config:
    """A preset with a cell of the table, and with whatever else is to differ.

    Args:
        distortion: "none", "R", "RTS", "RTS-undone", "P", "E" or "TC".
        model: "fcn", "cnn", "st-fcn" or "st-cnn".
        transform: "affine", "projective" or "tps"; ignored by models without a transformer.
        preset: "demo", "quick", "full", "long", "paper" or "best".
        **choices: Other fields of `Config`. A value of None leaves the preset's, or the default.

    Raises:
        ValueError: If a value is wrong; valid ones are listed.
        TypeError: If a value's type is, or there is no such field.
    """
    return Config.make(preset, distortion=distortion, model=model, transform=transform, **choices)
