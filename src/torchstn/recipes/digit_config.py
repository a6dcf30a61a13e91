"""The choices of every training on digits of MNIST."""

from dataclasses import dataclass

from .digits import MNIST_FOLDER
from .training_config import TrainingConfig, setting


@dataclass(frozen=True, kw_only=True)
class DigitConfig(TrainingConfig):
    """Beside the choices of every training, how large the model is."""

    data_dir: str | None = setting(MNIST_FOLDER, None)
    parameters: int = setting("Learnable numbers in the model, which its width is searched to meet.", least=1)
