"""Learning rates as pure functions of the step: a factor on each group's own rate.

Being pure, a schedule has no state to save, and resuming cannot change it.
"""

import math
from collections.abc import Callable

Schedule = Callable[[int], float]


def constant() -> Schedule:
    """The same rate throughout."""
    return lambda step: 1.0


def stairs(every: int, factor: float = 0.1) -> Schedule:
    """The rate times `factor` every so many steps, as the paper trains (appendix A.4).

    Args:
        every: Steps between two drops.
        factor: What a drop multiplies by.

    Raises:
        ValueError: If `every` is not positive.
    """
    if every < 1:
        raise ValueError(f"`every` must be at least 1 step, got {every}.")
    return lambda step: factor ** (step // every)


def warm_cosine(steps: int, warm_up: int, floor: float = 0.0) -> Schedule:
    """Up in a straight line, then down along half a cosine.

    Args:
        steps: The length of the training.
        warm_up: Steps until the full rate is reached.
        floor: The factor at the end.

    Raises:
        ValueError: If the warm-up does not fit into the training.
    """
    if not 0 <= warm_up < steps:
        raise ValueError(f"`warm_up` must be at least 0 and less than `steps` = {steps}, got {warm_up}.")

    def factor(step: int) -> float:
        if step < warm_up:
            return (step + 1) / warm_up
        progress = min(1.0, (step - warm_up) / (steps - warm_up))
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))

    return factor
