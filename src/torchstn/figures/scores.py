"""What each cell came to over its seeds, and the paper's number for it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import mean, stdev

from .results import Result, is_error

MEAN = "mean"
_CLASS = "digit-"


@dataclass(frozen=True)
class Score:
    """One cell over its seeds.

    Attributes:
        value: The mean, None where nothing has been trained.
        spread: The standard deviation, None of fewer than two seeds.
        paper: The paper's number, None where it has none.
        comparable: Whether the two are of the same data.
        uncertainty: The standard error of the value, as a share counted on so many samples; None if it is not
            known how many. Further seeds do not lessen it, being judged by the same ones.
    """

    value: float | None
    spread: float | None = None
    paper: float | None = None
    comparable: bool = True
    uncertainty: float | None = None

    def reaches(self, metric: str) -> bool:
        """Whether it is at least as good as the paper's."""
        if self.value is None or self.paper is None or not self.comparable:
            return False
        return self.value <= self.paper if is_error(metric) else self.value >= self.paper


def scores(results: Sequence[Result], papers: Mapping[str, float | None] | None = None) -> dict[str, Score]:
    """Scores by cell, of results of one recipe, preset and metric.

    Args:
        results: At least one.
        papers: The paper's number of every cell there is, those without a result among them. It stands beside
            a result that has none of its own, being of other data, without being compared.

    Returns:
        The scores. Where each class of digits is a cell of its own, "<data>/mean" is the mean of them all.
    """
    seeds: dict[str, list[Result]] = defaultdict(list)
    for one in results:
        seeds[one.cell].append(one)
    found = {cell: Score(None, paper=paper) for cell, paper in (papers or {}).items()}
    for cell, some in seeds.items():
        values = [one.value for one in some]
        spread, paper = stdev(values) if len(values) > 1 else None, some[0].paper
        beside = (papers or {}).get(cell) if paper is None else paper
        found[cell] = Score(mean(values), spread, beside, paper is not None, _uncertainty(some))
    return found | _means(found)


def _means(found: Mapping[str, Score]) -> dict[str, Score]:
    columns: dict[str, list[Score]] = defaultdict(list)
    for cell, score in found.items():
        column, _, row = cell.rpartition("/")
        if row.startswith(_CLASS):
            columns[column].append(score)
    return {
        f"{column}/{MEAN}": Score(
            _mean([one.value for one in classes]),
            paper=_mean([one.paper for one in classes]),
            comparable=all(one.comparable for one in classes),
            uncertainty=_of_mean([one.uncertainty for one in classes]),
        )
        for column, classes in columns.items()
    }


def _uncertainty(seeds: Sequence[Result]) -> float | None:
    """Of a percentage of so many samples: binomial."""
    value = mean(one.value for one in seeds)
    counts = [one.judged for one in seeds if one.judged is not None]
    return sqrt(value * (100 - value) / min(counts)) if len(counts) == len(seeds) else None


def _of_mean(each: Sequence[float | None]) -> float | None:
    known = [one for one in each if one is not None]
    return hypot(*known) / len(known) if len(known) == len(each) else None


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean of all, None if one is missing."""
    known = [value for value in values if value is not None]
    return mean(known) if len(known) == len(values) else None
