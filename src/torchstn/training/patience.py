"""A training that gets no better may stop, and its best weights are taken."""

from collections.abc import Mapping, Sequence
from typing import Any

_JUDGED = "validation_error"


class Patience:
    """Counts the epochs since the best one.

    Args:
        epochs: How many without a better one are enough; 0 never is.
        records: Those of the epochs that an earlier process made.
    """

    def __init__(self, epochs: int, records: Sequence[Mapping[str, Any]] = ()) -> None:
        self._epochs = epochs
        self._best, self._since = float("inf"), 0
        for record in records:
            self.is_best(record)

    def is_best(self, record: Mapping[str, Any]) -> bool:
        """Takes an epoch's record; whether it is better than all before."""
        if not self._epochs:
            return False
        better = record[_JUDGED] < self._best
        self._best, self._since = (record[_JUDGED], 0) if better else (self._best, self._since + 1)
        return bool(better)

    @property
    def is_over(self) -> bool:
        """Whether there were enough epochs without a better one."""
        return 0 < self._epochs <= self._since
