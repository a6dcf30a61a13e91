"""A training of a second, run by the tests in processes that they may kill."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from accelerate import Accelerator, PartialState
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from torchstn.training import Fitted, Part, Report, Run, Settings, fit, warm_cosine

STEPS = 60
PER_EPOCH = 8
BATCH = 13  # odd, so that two processes get shares of different sizes


class StoppedError(Exception):
    """Ends a training at a step that is known, where a kill comes at one that is not."""


class Samples:
    """Noise and what a fixed rule makes of it; a pure function of the address."""

    per_epoch = PER_EPOCH

    def __init__(self, pause: float = 0.0, stop: int = STEPS) -> None:
        self.pause = pause
        self.stop = stop

    def __call__(self, epoch: int, batch: int, part: int, parts: int) -> Part:
        if epoch * PER_EPOCH + batch == self.stop:
            raise StoppedError
        time.sleep(self.pause)
        generator = torch.Generator().manual_seed(1000 * epoch + batch)
        inputs = torch.rand(BATCH, 1, 8, 8, generator=generator)
        labels = (inputs.mean((1, 2, 3)) * 1000).long() % 3
        return Part((inputs[part::parts], labels[part::parts]), BATCH)


def objective(model: nn.Module, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
    logits = model(inputs)
    return {
        "loss": functional.cross_entropy(logits, labels, reduction="none"),
        "error": (logits.argmax(1) != labels).double(),
    }


def evaluation(model: nn.Module, part: int, parts: int) -> dict[str, float]:
    values = objective(model, *Samples()(99, 0, part, parts).tensors)
    return {"held_out_loss": float(values["loss"].sum()), "count": len(values["loss"])}


@contextmanager
def observer(model: nn.Sequential) -> Iterator[Report]:
    """Sees the inputs of a pass and the gradient it leaves."""
    means: list[Tensor] = []
    hook = model[0].register_forward_hook(lambda layer, inputs, output: means.append(inputs[0].mean()))
    yield lambda: {"seen/input": float(means[0]), "seen/gradient": float(model[0].weight.grad.norm())}
    hook.remove()


def build_model(dropout: float = 0.1) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(dropout), nn.Linear(144, 3))


def train(
    folder: Path, steps: int = STEPS, pause: float = 0.0, dropout: float = 0.1, stop: int = STEPS
) -> Fitted:
    torch.set_num_threads(1)
    model = build_model(dropout)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.01)
    settings = Settings(steps, seed=3, clip_norm=1.0, average_decay=0.9, checkpoint_seconds=0.0)
    return fit(
        model,
        optimiser,
        Samples(pause, stop),
        objective,
        Run(folder),
        settings,
        accelerator=Accelerator(cpu=True),
        schedule=warm_cosine(STEPS, 10),
        evaluation=evaluation,
        observer=observer,
    )


if __name__ == "__main__":
    folder, out, steps, pause, dropout = sys.argv[1:]
    fitted = train(Path(folder), int(steps), float(pause), float(dropout))
    save_file(fitted.model.state_dict(), out)
    PartialState().destroy_process_group()  # its threads may outlive the interpreter
