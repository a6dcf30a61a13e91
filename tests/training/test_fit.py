"""A training is the loop that one would write out by hand, and ends with the best weights."""

import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from support.tiny_training import PER_EPOCH, Samples, StoppedError, build_model, objective
from torch import Tensor, nn

from torchstn.training import Fitted, Part, Reporter, Run, Settings, WeightAverage, fit, loop, stairs

STEPS = 2 * PER_EPOCH + 3

Evaluation = Callable[[nn.Module, int, int], dict[str, float]]


class Recording(nn.Module):
    """A linear model with dropout that notes in which mode it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.modes: list[bool] = []
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.Dropout(0.3))

    def forward(self, inputs: Tensor) -> Tensor:
        self.modes.append(self.training)
        return self.layers(inputs)


def build() -> tuple[Recording, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = Recording()
    return model, torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)


class Clocked(Samples):
    """Makes each batch last a second, on the clock that the loop looks at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.now = 0.0
        monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: self.now))

    def __call__(self, epoch: int, batch: int, part: int, parts: int) -> Part:
        self.now += 1
        return super().__call__(epoch, batch, part, parts)


def go_on(
    folder: Path,
    model: nn.Module | None = None,
    optimiser: torch.optim.Optimizer | None = None,
    batches: Samples | None = None,
    settings: Settings | None = None,
    **other: Any,
) -> Fitted:
    """Trains a model from its start, or from where the folder's training stopped."""
    model = build_model() if model is None else model
    return fit(
        model,
        optimiser or torch.optim.SGD(model.parameters(), lr=0.1),
        batches or Samples(stop=-1),
        objective,
        Run(folder),
        settings or Settings(STEPS),
        accelerator=Accelerator(cpu=True),
        **other,
    )


def run(
    folder: Path, batches: Samples | None = None, evaluation: Evaluation | None = None, **settings: Any
) -> Recording:
    model, optimiser = build()
    made = Settings(STEPS, **({"seed": 3, "clip_norm": 0.05, "checkpoint_seconds": 1e9} | settings))
    go_on(
        folder,
        model,
        optimiser,
        batches,
        settings=made,
        schedule=stairs(PER_EPOCH, 0.5),
        evaluation=evaluation,
    )
    return model


@pytest.mark.parametrize("clip", [0.0, 0.05])
def test_its_steps_are_those_of_a_loop_written_out(
    clip: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nn.Dropout, "forward", lambda layer, values: values)
    trained = run(tmp_path, clip_norm=clip)
    model, optimiser = build()
    for step in range(STEPS):
        inputs, labels = Samples()(*divmod(step, PER_EPOCH), 0, 1).tensors
        optimiser.param_groups[0]["lr"] = 0.5 * 0.5 ** (step // PER_EPOCH)
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), clip or float("inf"))
        assert norm > 0.05  # so that a bound of 0.05 shows
        optimiser.step()
    for name, value in model.state_dict().items():
        torch.testing.assert_close(trained.state_dict()[name], value, atol=1e-5, rtol=0)
    rates = [record["learning_rate"] for record in Run(tmp_path).metrics.read()]
    assert rates == pytest.approx([0.5, 0.25, 0.125])


def test_each_group_has_its_own_rate_at_every_step_also_in_a_resumed_training(tmp_path: Path) -> None:
    rates: list[list[float]] = []

    class Noting(torch.optim.SGD):
        def step(self, closure: None = None) -> None:
            rates.append([group["lr"] for group in self.param_groups])
            super().step(closure)

    # A checkpoint holds its step's rates; the schedule starts from those that the optimiser was made with.
    for stop, outcome in ((PER_EPOCH + 2, pytest.raises(StoppedError)), (STEPS, nullcontext())):
        model = build_model()
        groups = [{"params": model[0].parameters()}, {"params": model[4].parameters(), "lr": 0.2}]
        settings, schedule = Settings(STEPS, checkpoint_seconds=0.0), stairs(PER_EPOCH, 0.5)
        with outcome:
            go_on(
                tmp_path,
                model,
                Noting(groups, lr=0.5),
                Samples(stop=stop),
                settings=settings,
                schedule=schedule,
            )
    assert rates == [[0.5, 0.2]] * PER_EPOCH + [[0.25, 0.1]] * PER_EPOCH + [[0.125, 0.05]] * 3


def test_it_evaluates_in_eval_mode_and_trains_on_in_train_mode(tmp_path: Path) -> None:
    def evaluation(model: nn.Module, part: int, parts: int) -> dict[str, float]:
        values = objective(model, *Samples()(99, 0, part, parts).tensors)
        return {"held_out": float(values["loss"].sum()), "count": len(values["loss"])}

    model = run(tmp_path, evaluation=evaluation)
    epoch = [True] * PER_EPOCH + [False]
    assert model.modes == [*epoch, *epoch, *[True] * 3, False]


def test_dropout_comes_from_the_seed_of_the_settings(tmp_path: Path) -> None:
    first, again, other = (run(tmp_path / str(k), seed=seed).state_dict() for k, seed in enumerate((3, 3, 4)))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["layers.1.weight"], other["layers.1.weight"])


def test_every_step_draws_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[float] = []

    def draw(layer: nn.Module, values: Tensor) -> Tensor:
        drawn.append(float(torch.rand(())))
        return values

    monkeypatch.setattr(nn.Dropout, "forward", draw)
    run(tmp_path)
    assert len(set(drawn)) == len(drawn) == STEPS


@pytest.mark.parametrize(
    ("seconds", "steps"),
    [(1e9, [8, 16, 19]), (0.0, list(range(1, 20))), (3.0, [3, 6, 8, 11, 14, 16, 19])],
)
def test_checkpoints_come_after_epochs_and_as_often_as_said(
    seconds: float, steps: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    real = Run.save_checkpoint
    monkeypatch.setattr(
        Run, "save_checkpoint", lambda run, state: (saved.append(state.step), real(run, state))[1]
    )
    run(tmp_path, Clocked(monkeypatch), checkpoint_seconds=seconds)
    assert saved == steps
    assert [record["seconds"] for record in Run(tmp_path).metrics.read()] == [8, 16, 19]


def test_the_display_goes_on_where_the_training_does(tmp_path: Path) -> None:
    made: list[tuple[int, int]] = []
    shown: list[str] = []

    class Noting(Reporter):
        def step(self) -> None:
            shown.append("step")

        def epoch(self, record: Mapping[str, Any]) -> None:
            shown.append(f"epoch {record['epoch']}")

    def reporter(total: int, done: int) -> Reporter:
        made.append((total, done))
        return Noting("", total, done, enabled=False)

    go_on(tmp_path, settings=Settings(PER_EPOCH + 1))
    go_on(tmp_path, reporter=reporter)
    assert made == [(STEPS, PER_EPOCH + 1)]
    assert shown == [*["step"] * 7, "epoch 2", *["step"] * 3, "epoch 3"]


def test_the_average_is_told_how_many_steps_were_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(WeightAverage, "update", lambda average, model, step: told.append(step))
    run(tmp_path, average_decay=0.9)
    assert told == list(range(1, STEPS + 1))


def test_what_is_logged_is_the_mean_over_the_samples_of_the_epoch(tmp_path: Path) -> None:
    model = build_model(dropout=0.0)
    go_on(tmp_path, model, torch.optim.SGD(model.parameters(), lr=0.0))
    for epoch, record in enumerate(Run(tmp_path).metrics.read()):
        parts = [Samples()(epoch, batch, 0, 1).tensors for batch in range(min(PER_EPOCH, STEPS - 8 * epoch))]
        with torch.no_grad():
            values = objective(model, *(torch.cat(tensors) for tensors in zip(*parts, strict=True)))
        for name, value in values.items():
            assert record[name] == pytest.approx(float(value.mean()), abs=1e-6)  # float32


@pytest.mark.parametrize("ahead", [False, True])
def test_batches_are_made_in_order_in_a_second_thread_where_asked(ahead: bool, tmp_path: Path) -> None:
    threads: set[int] = set()
    addresses: list[tuple[int, int]] = []

    class Noting(Samples):
        def __call__(self, epoch: int, batch: int, part: int, parts: int) -> Part:
            threads.add(threading.get_ident())
            addresses.append((epoch, batch))
            return super().__call__(epoch, batch, part, parts)

    run(tmp_path, Noting(), ahead=ahead)
    assert addresses == [divmod(step, PER_EPOCH) for step in range(STEPS)]
    assert (threading.get_ident() in threads) != ahead


@pytest.mark.parametrize(
    ("stop", "decay"), [(None, 0.0), (2 * PER_EPOCH, 0.9)], ids=["at-once", "resumed-and-averaged"]
)
def test_it_stops_when_it_gets_no_better_and_takes_the_weights_of_the_best_epoch(
    stop: int | None, decay: float, tmp_path: Path
) -> None:
    errors, seen = iter([3.0, 1.0, 2.0, 1.0]), list[dict[str, Tensor]]()

    def train(stop: int = -1) -> Fitted:
        return go_on(
            tmp_path,
            batches=Samples(stop=stop),
            settings=Settings(9 * PER_EPOCH, average_decay=decay, patience=2),
            evaluation=lambda model, part, parts: {"validation_error": next(errors), "count": 1.0},
            listener=lambda record, model: seen.append({k: v.clone() for k, v in model.state_dict().items()}),
        )

    if stop is not None:
        with pytest.raises(StoppedError):
            train(stop)
    fitted = train()
    assert (fitted.steps, len(seen)) == (4 * PER_EPOCH, 4)
    found = fitted.model.state_dict()
    assert all(torch.equal(found[name], value) for name, value in seen[1].items())
    assert not any(torch.equal(found[name], value) for name, value in seen[3].items())


def test_at_the_end_too_it_takes_the_weights_of_the_best_epoch(tmp_path: Path) -> None:
    errors, seen = iter([1.0, 2.0, 3.0]), list[Tensor]()
    fitted = go_on(
        tmp_path,
        settings=Settings(STEPS, patience=9),
        evaluation=lambda model, part, parts: {"validation_error": next(errors), "count": 1.0},
        listener=lambda record, model: seen.append(model.state_dict()["4.bias"].clone()),
    )
    assert fitted.steps == STEPS
    assert torch.equal(fitted.model.state_dict()["4.bias"], seen[0])
    assert not torch.equal(seen[0], seen[2])


def test_an_epoch_that_its_listener_could_not_keep_comes_again(tmp_path: Path) -> None:
    told: list[int] = []

    def listener(record: Mapping[str, Any], model: nn.Module) -> None:
        told.append(record["epoch"])
        if told == [1, 2]:
            raise StoppedError

    with pytest.raises(StoppedError):
        go_on(tmp_path, listener=listener)
    go_on(tmp_path, listener=listener)
    assert told == [1, 2, 2, 3]
