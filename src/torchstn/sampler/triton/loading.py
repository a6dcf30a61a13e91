"""The door to Triton: whether it can run here; the kernels are imported when the first call needs them."""

import importlib
import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from ..fused.contract import Engine, Settings, register

INTERPRETING = os.environ.get("TRITON_INTERPRET") == "1"
"""Whether Triton runs kernels on the CPU, in Python. It decides that itself, once, when it is imported."""

OLDEST = (8, 0)
"""The compute capability from which on a GPU has arithmetic on bfloat16."""


def missing() -> str | None:
    """Why the kernels cannot run here, or None."""
    return _find_missing()


# As for the compiled CPU kernels: it can be found out while a call is being traced, but not be traced itself.
missing._dynamo_marked_constant = True  # type: ignore[attr-defined]


@cache
def _find_missing() -> str | None:
    if not INTERPRETING:
        if not torch.cuda.is_available():
            return "there is no NVIDIA GPU here that this torch can use"
        if torch.version.hip is not None:
            return "it has been written for NVIDIA GPUs only"
        capability = torch.cuda.get_device_capability()
        if capability < OLDEST:
            return (
                f"it needs compute capability {_version(OLDEST)} or more, this GPU has {_version(capability)}"
            )
    try:
        importlib.import_module("triton")
    except ModuleNotFoundError:
        return 'Triton is not installed: pip install "torchstn[triton]" (there it is for Linux only)'
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the reference still runs
        return f"Triton does not load ({type(error).__name__}: {error})"
    return None


def _version(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def place() -> str:
    """Where the kernels run, for people."""
    version = importlib.import_module("triton").__version__
    if INTERPRETING:
        return f"CPU, interpreted by Triton {version}: for tests, thousands of times slower than compiled"
    return f"{torch.cuda.get_device_name()}, compiled by Triton {version}"


@cache
def _kernels() -> Any:
    return importlib.import_module(".launch", __package__)


def _run(image: Tensor, parameters: Sequence[Tensor], fill: Tensor | None, settings: Settings) -> Tensor:
    return _kernels().run(image, parameters, fill, settings)


def _run_backward(
    image: Tensor,
    grad_output: Tensor,
    parameters: Sequence[Tensor],
    fill: Tensor | None,
    settings: Settings,
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    return _kernels().run_backward(image, grad_output, parameters, fill, settings, wanted)


ENGINE = register(
    Engine(
        "triton",
        "cpu" if INTERPRETING else "cuda",
        "the CPU while TRITON_INTERPRET=1" if INTERPRETING else "NVIDIA GPUs",
        (1, 2, 3),
        _run,
        _run_backward,
    )
)
