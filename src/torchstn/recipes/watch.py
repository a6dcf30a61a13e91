"""What a model's transformers did, read off a training step; what is wrong with one is said once."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import nn

from .. import Monitor
from ..monitor import Observation, TransformerWarning
from ..training import Report


class Watch:
    """An observer for `torchstn.training.fit`: coverage, scale, activity, gradient share of each transformer.

    They are named after the transformer: "transformer/coverage" and so on. A training lasts for many epochs,
    so each kind of trouble is warned of in the first of them only.

    Args:
        warn: Whether to warn at all; of several processes one is enough.
    """

    def __init__(self, *, warn: bool = True) -> None:
        self._warn = warn
        self._told: set[str] = set()

    @contextmanager
    def __call__(self, model: nn.Module) -> Iterator[Report]:
        """Watches a pass of the model.

        Args:
            model: It must hold a SpatialTransformer.

        Yields:
            What reads the numbers off, once the pass has its gradients.

        Raises:
            ValueError: If the model holds no SpatialTransformer.
        """
        with Monitor(model) as monitor:
            yield lambda: _numbers(self._report(monitor))

    def _report(self, monitor: Monitor) -> Mapping[str, Observation]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", TransformerWarning)
            report = monitor.report()
        said = [one.message for one in caught if isinstance(one.message, TransformerWarning)]
        for warning in said:
            if self._warn and warning.trouble not in self._told:
                warnings.warn(warning, stacklevel=2)
        self._told |= {warning.trouble for warning in said}
        return report


def _numbers(report: Mapping[str, Observation]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for name, seen in report.items():
        values = {
            "coverage": seen.coverage,
            "scale": seen.scale,
            "active": seen.active,
            "gradient_share": seen.gradient_share,
        }
        numbers |= {f"{name or 'model'}/{key}": value for key, value in values.items() if value is not None}
    return numbers
