"""Both sides, each as a training that pauses between two steps until it is told how many more to make."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import torch
import torch.nn.functional as F

from torchstn.recipes.distorted_mnist import RECIPE, Config
from torchstn.recipes.distorted_mnist.data import DistortedDigits
from torchstn.recipes.optimisation import make_optimiser
from torchstn.recipes.registry import RECIPES
from torchstn.recipes.supervised import train
from torchstn.training import Batches, Part

from . import tutorial
from .clock import Clock

OURS, EXACT, TUTORIAL = "torchstn", "torchstn, float32", "tutorial"
SIDES = (OURS, EXACT, TUTORIAL)

Order = Callable[[dict[str, float] | None], int]
"""`order(parts)` -> steps to make; told where the time of those before went, or None at the start."""

_ENDLESS = 10**7


class Turns:
    """Stands between the steps of a training and counts those of a turn.

    Args:
        order: Gives the number of the next turn's steps; ends the training by an exception.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._left: int | None = None

    def before_step(self, clock: Clock) -> None:
        """To be called where a step begins."""
        clock.mark("optimiser")
        if not self._left:
            self._left = self._order(None if self._left is None else clock.parts)
            clock.restart()
        self._left -= 1


def run(side: str, config: Config, order: Order) -> NoReturn:
    """Trains as one side does, as long as there are orders.

    Args:
        side: One of `SIDES`.
        config: What to train; the tutorial takes its sizes, batch, optimiser and rate from it.
        order: Where the steps are ordered.
    """
    config = replace(config, iterations=_ENDLESS, device="cpu")
    if side == TUTORIAL:
        _run_tutorial(config, Turns(order))
    _run_ours(replace(config, precision="float32") if side == EXACT else config, Turns(order))


@dataclass(frozen=True)
class _Ordered:
    """Batches that wait for orders and tell the clock when they have been made."""

    batches: Batches
    turns: Turns
    clock: Clock

    @property
    def per_epoch(self) -> int:
        return self.batches.per_epoch

    def __call__(self, epoch: int, batch: int, part: int, parts: int) -> Part:
        self.turns.before_step(self.clock)
        made = self.batches(epoch, batch, part, parts)
        self.clock.mark("data")
        return made


def _run_ours(config: Config, turns: Turns) -> NoReturn:
    """The recipes' own engine, in its own recipe but for the clock."""
    clocks: list[Clock] = []

    def build_model(config: Config, classes: Sequence[str]) -> Any:
        model = RECIPE.build_model(config, classes)
        clocks.append(Clock(model))
        return model

    class Ordered(DistortedDigits):
        def training(self) -> Any:
            return _Ordered(super().training(), turns, clocks[0])

    RECIPES[config.recipe] = replace(RECIPE, build_model=build_model, load=Ordered.load)
    with tempfile.TemporaryDirectory() as folder:
        train(config, folder, progress=False)
    raise AssertionError("a training of so many steps does not end")


def _run_tutorial(config: Config, turns: Turns) -> NoReturn:
    if config.threads:
        torch.set_num_threads(config.threads)
    digits = DistortedDigits.load(replace(config, validation=0)).learnt
    model = tutorial.Net(RECIPE.build_model(config, ()))
    optimizer = make_optimiser(model, config)
    clock, batches = Clock(model), tutorial.loader(digits, config.distortion, config.batch)
    while True:
        waiting = iter(batches)
        for _ in range(len(batches)):
            turns.before_step(clock)
            pictures, labels = next(waiting)
            clock.mark("data")
            optimizer.zero_grad()
            loss = F.cross_entropy(model(pictures), labels)
            loss.backward()
            optimizer.step()
