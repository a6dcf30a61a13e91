"""The loop: batches in, a trained model out, whatever happens in between.

It stands on Hugging Face accelerate, so that one process, many GPUs and many machines run the same
code, and it knows nothing of what is trained. Everything random derives from (seed, step), never from
a generator's state, so resuming and the number of processes change nothing by construction.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from .average import WeightAverage
from .patience import Patience
from .progress import Listener, Reporter
from .run import Run
from .schedule import Schedule, constant
from .state import restore, snapshot


class Part(NamedTuple):
    """One process's share of a batch.

    Attributes:
        tensors: What the objective is called with.
        whole: Samples in the batch of all processes together.
    """

    tensors: tuple[Tensor, ...]
    whole: int


class Batches(Protocol):
    """Batches by address: the same address gives the same samples in any process, at any time."""

    @property
    def per_epoch(self) -> int:
        """Batches in one epoch."""

    def __call__(self, epoch: int, batch: int, part: int, parts: int) -> Part:
        """The samples of a batch that belong to process `part` of `parts`."""


Objective = Callable[..., Mapping[str, Tensor]]
"""`objective(model, *tensors)` -> per-sample numbers of shape (b,); "loss" is minimised, all are logged."""

Evaluation = Callable[[nn.Module, int, int], Mapping[str, float]]
"""`evaluation(model, part, parts)` -> sums over this process's samples, with their "count"."""

Report = Callable[[], Mapping[str, float]]
Observer = Callable[[nn.Module], AbstractContextManager[Report]]
"""`with observer(model) as report:` surrounds a pass; after it, `report()` -> means over its samples."""


@dataclass(frozen=True)
class Settings:
    """How long and how carefully to train.

    Attributes:
        steps: Optimiser steps in all.
        seed: Where everything random in the model (dropout, say) derives from.
        clip_norm: Largest norm of the whole gradient; 0 leaves it alone.
        average_decay: Of the running average of the weights; 0 means no average.
        checkpoint_seconds: Time between two checkpoints; 0 saves after every step.
        patience: Epochs without a better validation error after which to stop; the best weights are then the
            model's. 0 goes to the end and takes the last.
        ahead: Make the next batch in a second thread while this one is trained on.
    """

    steps: int
    seed: int = 0
    clip_norm: float = 0.0
    average_decay: float = 0.0
    checkpoint_seconds: float = 60.0
    patience: int = 0
    ahead: bool = False


class Fitted(NamedTuple):
    """What a training came to.

    Attributes:
        model: The model to use: the averaged one if there is an average.
        steps: Optimiser steps made, those of earlier processes included.
        seconds: Time spent training, that of earlier processes included.
    """

    model: nn.Module
    steps: int
    seconds: float


def fit(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    batches: Batches,
    objective: Objective,
    run: Run,
    settings: Settings,
    *,
    accelerator: Accelerator,
    schedule: Schedule | None = None,
    evaluation: Evaluation | None = None,
    observer: Observer | None = None,
    reporter: Callable[[int, int], Reporter] | None = None,
    listener: Listener | None = None,
) -> Fitted:
    """Trains a model, or goes on where the run's latest checkpoint stopped.

    Args:
        model: What to train. All processes must start from the same weights.
        optimiser: Over the model's parameters.
        batches: Where samples come from.
        objective: What to minimise.
        run: Where metrics and checkpoints go.
        settings: How long and how carefully.
        accelerator: The processes and devices to train on.
        schedule: A factor on the learning rates by step; default, constant.
        evaluation: Called after each epoch.
        observer: Watches each epoch's last step, and no other; what it reports is logged with the epoch.
        reporter: Makes the progress display from (steps, steps done); default, silence.
        listener: Called on the main process with each epoch's record and the model to use, before the epoch's
            checkpoint: what it keeps of later steps than the latest checkpoint's comes again after a crash.

    Returns:
        The trained model and what it took.

    Raises:
        ValueError: If another process trains in the run's folder, or its latest checkpoint is damaged or of
            another model.
    """
    loop = _Loop(model, optimiser, batches, objective, run, settings, accelerator, schedule or constant())
    loop.observer, loop.listener = observer, listener
    report = reporter or (lambda total, done: Reporter("", total, done, enabled=False))
    with run.lock() if accelerator.is_main_process else nullcontext():
        loop.resume()
        with report(settings.steps, loop.step) as display:
            loop.run_epochs(evaluation, display)
        loop.take_best()
    return Fitted(loop.final, loop.step, loop.seconds)


class _Loop:
    """The state of one training and the steps that change it."""

    def __init__(
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        batches: Batches,
        objective: Objective,
        run: Run,
        settings: Settings,
        accelerator: Accelerator,
        schedule: Schedule,
    ) -> None:
        self.average = WeightAverage(model, settings.average_decay) if settings.average_decay else None
        self.rates = [group["lr"] for group in optimiser.param_groups]
        self.bare = model  # without the wrapper that several processes need
        self.model, self.optimiser = accelerator.prepare(model, optimiser)
        if self.average is not None:
            self.average.model.to(accelerator.device)
        self.batches, self.objective, self.run, self.settings = batches, objective, run, settings
        self.accelerator, self.schedule = accelerator, schedule
        self.observer: Observer | None = None
        self.listener: Listener | None = None
        self.patience = Patience(settings.patience)
        self.step, self.seconds, self.sums = 0, 0.0, dict[str, Tensor]()
        self.observed: dict[str, float] = {}
        self._clock = self._saved = time.monotonic()

    @property
    def final(self) -> nn.Module:
        """The model to use after training."""
        return self.bare if self.average is None else self.average.model

    def resume(self) -> None:
        """Takes up the latest checkpoint, if there is one."""
        checkpoint = self.run.latest_checkpoint()
        if checkpoint is not None:
            restore(checkpoint, self.bare, self.optimiser, self.average)
            self.step = checkpoint.step
            self.seconds = checkpoint.scalars["seconds"]
            self.sums = {name: self._number(value) for name, value in checkpoint.scalars["sums"].items()}
        if self.accelerator.is_main_process:
            self.run.clean()
            self.run.metrics.truncate(self.step)
        self.accelerator.wait_for_everyone()
        self.patience = Patience(self.settings.patience, self.run.metrics.read())

    def take_best(self) -> None:
        """Puts the weights of the best epoch into the model to use, if they were kept."""
        if self.settings.patience:
            self.accelerator.wait_for_everyone()
            self.final.load_state_dict(self.run.load_best())

    def run_epochs(self, evaluation: Evaluation | None, display: Reporter) -> None:
        """Trains to the end."""
        self._clock = self._saved = time.monotonic()
        self.model.train()
        for part in self._parts():
            if self.patience.is_over:
                return
            self._train(part)
            display.step()
            if self._ends_epoch(self.step):
                display.epoch(self._close_epoch(evaluation))
                self.model.train()
            elif time.monotonic() - self._saved >= self.settings.checkpoint_seconds:
                self._save()

    def _ends_epoch(self, step: int) -> bool:
        return step % self.batches.per_epoch == 0 or step == self.settings.steps

    def _parts(self) -> Iterator[Part]:
        """The remaining batches in order, each made while its predecessor is trained on if so set."""
        addresses = (divmod(step, self.batches.per_epoch) for step in range(self.step, self.settings.steps))
        shares = self.accelerator.process_index, self.accelerator.num_processes
        if not self.settings.ahead:
            yield from (self.batches(*address, *shares) for address in addresses)
            return
        with ThreadPoolExecutor(1) as pool:
            waiting: Future[Part] | None = None
            for address in addresses:
                ready, waiting = waiting, pool.submit(self.batches, *address, *shares)
                if ready is not None:
                    yield ready.result()
            if waiting is not None:
                yield waiting.result()

    def _train(self, part: Part) -> None:
        """One step of the optimiser."""
        factor = self.schedule(self.step)
        for group, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        if self.observer is not None and self._ends_epoch(self.step + 1):
            with self.observer(self.bare) as report:
                values = self._backward(part)
                self.observed = self._joined(report(), len(values["loss"]) / part.whole)
        else:
            values = self._backward(part)
        if self.settings.clip_norm:
            self.accelerator.clip_grad_norm_(self.model.parameters(), self.settings.clip_norm)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.step += 1
        if self.average is not None:
            self.average.update(self.bare, self.step)
        self._count(values, part.whole)

    def _backward(self, part: Part) -> Mapping[str, Tensor]:
        """The objective's values of a batch, their mean's gradient left on the parameters."""
        processes = self.accelerator.num_processes
        seed = _seed(self.settings.seed, self.step, self.accelerator.process_index)
        _seed_generators(seed, self.accelerator.device)
        values = self.objective(self.model, *(t.to(self.accelerator.device) for t in part.tensors))
        # Wrapped models average gradients over processes; the share keeps the mean over samples.
        self.accelerator.backward(values["loss"].sum() * (processes / part.whole))
        return values

    def _joined(self, means: Mapping[str, float], share: float) -> dict[str, float]:
        """Each process's means over its samples, by its share of the batch, to those over all samples."""
        local = [value * share if share else 0.0 for value in means.values()]
        total = torch.tensor(local, dtype=torch.float64, device=self.accelerator.device)
        joined: list[float] = self.accelerator.reduce(total, reduction="sum").tolist()
        return dict(zip(means, joined, strict=True))

    def _count(self, values: Mapping[str, Tensor], whole: int) -> None:
        """Adds a batch to the epoch's sums; they stay on the device until someone asks.

        One running sum in float64, so that a resumed epoch adds the same numbers in the same order.
        """
        totals = torch.stack([value.detach().double().sum() for value in values.values()])
        totals = self.accelerator.reduce(totals, reduction="sum")
        for name, total in [*zip(values, totals, strict=True), ("samples", self._number(whole))]:
            self.sums[name] = self.sums[name] + total if name in self.sums else total

    def _number(self, value: float) -> Tensor:
        return torch.tensor(value, dtype=torch.float64, device=self.accelerator.device)

    def _close_epoch(self, evaluation: Evaluation | None) -> dict[str, Any]:
        means = {name: float(total / self.sums["samples"]) for name, total in self.sums.items()}
        record: dict[str, Any] = {"step": self.step, "epoch": -(-self.step // self.batches.per_epoch)}
        record |= {name: mean for name, mean in means.items() if name != "samples"}
        record["learning_rate"] = self.rates[0] * self.schedule(self.step - 1)
        record |= self.observed
        if evaluation is not None:
            record |= self._evaluate(evaluation)
        self.sums = {}
        self._tick()
        record["seconds"] = round(self.seconds, 3)
        best = self.patience.is_best(record)
        if self.accelerator.is_main_process:
            self.run.metrics.append(record)
            if best:
                self.run.save_best(self.final.state_dict())
            if self.listener is not None:
                self.listener(record, self.final)
        # Last of all: a crash before it repeats the epoch, one after it would leave out what is not yet kept.
        self._save()
        return record

    def _evaluate(self, evaluation: Evaluation) -> dict[str, float]:
        """Evaluates the model to use, each process its share, and averages over samples."""
        self.final.eval()
        with torch.no_grad():
            sums = evaluation(self.final, self.accelerator.process_index, self.accelerator.num_processes)
        names = sorted(sums)
        local = torch.tensor([float(sums[name]) for name in names], dtype=torch.float64)
        total = self.accelerator.reduce(local.to(self.accelerator.device), reduction="sum").tolist()
        joined = dict(zip(names, total, strict=True))
        count = joined.pop("count")
        return {name: value / count for name, value in joined.items()}

    def _tick(self) -> None:
        now = time.monotonic()
        self.seconds, self._clock = self.seconds + now - self._clock, now

    def _save(self) -> None:
        """Writes a checkpoint; between epochs only the main process knows when, so nothing is shared."""
        self._tick()
        self._saved = time.monotonic()
        if self.accelerator.is_main_process:
            sums = {name: float(total) for name, total in self.sums.items()}
            scalars = {"seconds": self.seconds, "sums": sums}
            self.run.save_checkpoint(snapshot(self.step, self.bare, self.optimiser, self.average, scalars))


def _seed_generators(seed: int, device: torch.device) -> None:
    # torch.manual_seed notes a stack trace for each kind of device that is not there, at every call.
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


def _seed(*numbers: int) -> int:
    """One seed for the generator out of several small numbers."""
    mixed = 0
    for number in numbers:
        mixed = (mixed * 1_000_003 + number + 1) % 2**63
    return mixed
