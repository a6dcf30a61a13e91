"""A step of training of RTS ST-CNN: ours in a CUDA graph, the tutorial's way eager."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torchstn.recipes.distorted_mnist import RECIPE, Config

from .. import record
from ..case import OURS
from ..timing import Effort, measure
from ..training.tutorial import Net
from .device import Clock

TUTORIAL = "tutorial, eager"
EAGER = "torchstn, eager"
BATCH = 256
WANTED = 2.0


def measure_step(device: torch.device, effort: Effort, batch: int = BATCH) -> dict[str, Any]:
    """Times of a step: forward, backward and the optimiser's, of data already on the device.

    Raises:
        ValueError: If the two sides' losses differ, so that they would not be doing the same.
    """
    torch.manual_seed(0)
    config = Config.make("quick", distortion="RTS", model="st-cnn")
    ours = RECIPE.build_model(config)
    theirs = Net(ours)
    images, labels = torch.rand(batch, 1, 42, 42, device=device), torch.randint(10, (batch,), device=device)
    models = {OURS: ours.to(device), TUTORIAL: theirs.to(device)}
    with torch.no_grad():
        losses = [float(F.cross_entropy(model.eval()(images), labels)) for model in models.values()]
    if abs(losses[0] - losses[1]) > 1e-3 * abs(losses[1]):
        raise ValueError(f"torchstn and the tutorial start at different losses, {losses[0]} and {losses[1]}.")
    step = partial(_step, images=images, labels=labels, rate=config.learning_rate)
    tasks = {EAGER: step(models[OURS].train()), TUTORIAL: step(models[TUTORIAL].train())}
    on_gpu = device.type == "cuda"
    tasks[OURS] = captured(step(models[OURS], capturable=True)) if on_gpu else tasks[EAGER]
    times = measure(tasks, effort, watched=tuple(tasks), clock=Clock(device))
    ratio = times[TUTORIAL].median / times[OURS].median
    return {"times": record.timings(times), "batch": batch, "wanted": WANTED, "reached": ratio}


def _step(
    model: nn.Module, images: Tensor, labels: Tensor, rate: float, *, capturable: bool = False
) -> Callable[[], None]:
    # A count of steps on the GPU slows down what is not captured.
    optimiser = torch.optim.AdamW(model.parameters(), rate, capturable=capturable, foreach=images.is_cuda)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        F.cross_entropy(model(images), labels).backward()
        optimiser.step()

    return step


def captured(step: Callable[[], None]) -> Callable[[], None]:
    """The same step as one CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):  # compiles, tunes, and gives the optimiser its state
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay
