"""A training is the loop that one would write out by hand, and ends with the best weights."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from support.tiny_training import PER_EPOCH, Samples, build_model, objective
from torch import Tensor, nn

from torchstn.training import Part, Run, Settings, fit, stairs

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


def run(
    folder: Path, batches: Samples | None = None, evaluation: Evaluation | None = None, **settings: Any
) -> Recording:
    model, optimiser = build()
    made = Settings(STEPS, **({"seed": 3, "clip_norm": 0.05, "checkpoint_seconds": 1e9} | settings))
    fit(
        model,
        optimiser,
        batches or Samples(),
        objective,
        Run(folder),
        made,
        accelerator=Accelerator(cpu=True),
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


@pytest.mark.parametrize(("seconds", "steps"), [(1e9, [8, 16, 19]), (0.0, list(range(1, 20)))])
def test_checkpoints_come_after_epochs_and_as_often_as_said(
    seconds: float, steps: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    real = Run.save_checkpoint
    monkeypatch.setattr(
        Run, "save_checkpoint", lambda run, state: (saved.append(state.step), real(run, state))[1]
    )
    run(tmp_path, checkpoint_seconds=seconds)
    assert saved == steps


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


def test_it_stops_when_it_gets_no_better_and_takes_the_weights_of_the_best_epoch(tmp_path: Path) -> None:
    errors, seen = iter([3.0, 1.0, 2.0, 1.0]), list[dict[str, Tensor]]()
    model = build_model()
    fitted = fit(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        Samples(stop=-1),
        objective,
        Run(tmp_path),
        Settings(9 * PER_EPOCH, patience=2),
        accelerator=Accelerator(cpu=True),
        evaluation=lambda model, part, parts: {"validation_error": next(errors), "count": 1.0},
        listener=lambda record, model: seen.append({k: v.clone() for k, v in model.state_dict().items()}),
    )
    assert (fitted.steps, len(seen)) == (4 * PER_EPOCH, 4)
    found = fitted.model.state_dict()
    assert all(torch.equal(found[name], value) for name, value in seen[1].items())
    assert not any(torch.equal(found[name], value) for name, value in seen[3].items())
