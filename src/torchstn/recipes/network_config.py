"""The choices of recipes that put the paper's networks side by side, with and without a transformer."""

from dataclasses import Field, dataclass
from typing import Any, Self

from .digit_config import DigitConfig
from .training_config import setting

TRANSFORMS = ("affine", "projective", "tps")
NO_TRANSFORM = "none"


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(DigitConfig):
    """Beside the choices of every training on digits, which network and which transformation."""

    model: str = setting("The network.", "st-cnn")
    transform: str = setting(
        "What the transformer may do: affine, projective or tps; none without one.",
        "affine",
        choices=TRANSFORMS,
    )

    leak: float = setting(
        "Slope below zero of the localisation network's units, which then cannot die; 0 is the paper's ReLU.",
        0.0,
        least=0,
    )

    @property
    def has_transformer(self) -> bool:
        """Whether the model begins with a spatial transformer."""
        return _has_transformer(self.model)

    @property
    def network(self) -> str:
        """A row of the table, made of network and transformation, such as "st-cnn-affine"."""
        return f"{self.model}-{self.transform}" if self.has_transformer else self.model

    @property
    def cell_choices(self) -> dict[str, Any]:
        named = super().cell_choices
        return named if self.has_transformer else {k: v for k, v in named.items() if k != "transform"}

    @classmethod
    def make(cls, preset: str | None = None, **choices: Any) -> Self:
        """As of every config; what concerns the transformer of a model without one is ignored."""
        if not _has_transformer(choices.get("model", cls.model)):
            choices |= {"transform": NO_TRANSFORM, "leak": 0.0}
        return super().make(preset, **choices)

    def _choices(self, item: Field[Any]) -> tuple[str, ...] | None:
        if item.name == "transform" and not self.has_transformer:
            return (NO_TRANSFORM,)
        return super()._choices(item)


def _has_transformer(model: str) -> bool:
    return "st-" in model
