"""What the GPU kernels leave to others and why, and how their configuration is chosen; on any machine."""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from support.backends import INTERPRETING

import torchstn as stn
from torchstn.grid import MatrixGrid
from torchstn.sampler import BACKENDS, Request
from torchstn.sampler.kernels import KERNELS
from torchstn.sampler.triton import configurations, loading, refusal, tuning
from torchstn.sampler.triton.configurations import Configuration
from torchstn.sampler.triton.job import describe
from torchstn.sampler.triton.memory import Tile

BACKEND = next(backend for backend in BACKENDS if backend.name == "triton")
IMAGE, MATRIX = torch.rand(2, 3, 4, 5), torch.eye(2, 3).expand(2, 2, 3)


@pytest.fixture
def fresh() -> Iterator[None]:
    """Finds out anew whether Triton is there, here and afterwards."""
    loading._find_missing.cache_clear()
    yield
    loading._find_missing.cache_clear()


def test_a_machine_without_a_gpu_says_so(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "INTERPRETING", False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert BACKEND.missing == "there is no NVIDIA GPU here that this torch can use"
    with pytest.raises(ValueError, match="'triton' cannot run this: there is no NVIDIA GPU here"):
        stn.sample(IMAGE, MatrixGrid(MATRIX, size=(4, 5)), backend="triton")


@pytest.mark.parametrize(
    ("capability", "error", "reason"),
    [
        ((7, 5), None, "needs compute capability 8.0 or more, this GPU has 7.5"),
        ((9, 0), ModuleNotFoundError("triton"), r'not installed: pip install "torchstn\[triton\]"'),
        ((9, 0), ImportError("libcuda.so.1"), r"does not load \(ImportError: libcuda.so.1\)"),
        ((9, 0), None, None),
    ],
)
def test_a_machine_with_one_says_what_is_wrong(
    capability: tuple[int, int],
    error: Exception | None,
    reason: str | None,
    fresh: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(name: str) -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(loading, "INTERPRETING", False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr(importlib, "import_module", load)
    missing = BACKEND.missing
    monkeypatch.undo()
    assert missing == reason if reason is None else missing is not None
    if reason is not None:
        with pytest.raises(AssertionError, match=reason):
            raise AssertionError(missing)


@pytest.mark.skipif(INTERPRETING, reason="Interpreted, the kernels do run on the CPU.")
def test_tensors_on_the_cpu_are_left_to_others() -> None:
    request = Request(IMAGE, MatrixGrid(MATRIX, size=(4, 5)), KERNELS["linear"], "zeros", 0.0)
    assert refusal(request) == "it runs on NVIDIA GPUs, not on cpu"


def test_says_why_not(triton_device: str) -> None:
    image, matrix = IMAGE.to(triton_device), MATRIX.to(triton_device)
    grid = MatrixGrid(matrix, size=(4, 5))
    fill = torch.ones(3, device=triton_device, requires_grad=True)
    for request, reason in (
        (
            Request(image.to(torch.complex64), grid, KERNELS["linear"], "zeros", 0.0),
            "of type torch.complex64",
        ),
        (Request(image, grid, KERNELS["lanczos3"], "zeros", 0.0), "'nearest', 'linear', 'cubic' only"),
        (Request(image, grid, KERNELS["linear"], "fill", fill), "no gradient of `fill`"),
        (Request(image[:0], grid, KERNELS["linear"], "zeros", 0.0), "nothing to read"),
        (Request(image, grid.to(torch.bfloat16), KERNELS["linear"], "zeros", 0.0), "type torch.bfloat16"),
    ):
        assert reason in str(refusal(request))
    assert refusal(Request(image, grid, KERNELS["linear"], "zeros", 0.0)) is None


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The configurations that were timed, by their warps; eight are the fastest."""
    seen: list[int] = []

    def milliseconds(choice: Configuration, attempt: Any) -> float:
        seen.append(choice.warps)
        return abs(choice.warps - 8)

    monkeypatch.setattr(tuning, "_milliseconds", milliseconds)
    monkeypatch.setattr(tuning, "_chosen", {})
    monkeypatch.setattr(tuning, "INTERPRETING", False)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    return seen


CHOICES = [Configuration(Tile(32, 4, 1, 1), warps, 1) for warps in (4, 8, 2)]


def test_the_fastest_configuration_is_looked_for_once(timed: list[int]) -> None:
    for _ in range(2):
        assert tuning.run_fastest("sort", CHOICES, lambda choice: choice.warps, work=2**24) == 8
    assert timed == [4, 8, 2]
    tuning.run_fastest("another sort", CHOICES, lambda choice: choice.warps, work=2**24)
    assert timed == [4, 8, 2] * 2


def test_the_first_configuration_is_taken_where_none_may_be_looked_for(
    timed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def warps(work: int = 2**24) -> int:
        return tuning.run_fastest("sort", CHOICES, lambda choice: choice.warps, work=work)

    assert warps(work=100) == 4
    torch.use_deterministic_algorithms(True)
    try:
        assert warps() == 4
    finally:
        torch.use_deterministic_algorithms(False)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    assert warps() == 4
    assert not timed


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.uint8, torch.float64], ids=str)
@pytest.mark.parametrize("channels", [1, 3, 17, 64, 300])
def test_every_configuration_covers_the_work(
    channels: int, dtype: torch.dtype, layout: torch.memory_format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configurations, "INTERPRETING", False)
    properties = type("Properties", (), {"multi_processor_count": 132})
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    image = torch.empty(1, channels, 13, 70).to(dtype).contiguous(memory_format=layout)
    from torchstn.sampler.fused.contract import MATRIX as KIND
    from torchstn.sampler.fused.contract import Settings

    job = describe(image, [MATRIX], Settings(KIND, (13, 70), False, 1, 0, "triton"))
    found = configurations.configurations(job)
    assert 2 <= len(found) <= 8
    for configuration in found:
        tile = configuration.tile
        assert all(part & (part - 1) == 0 for part in tile)
        assert configuration.share(channels) % tile.channels == 0
        assert configuration.share(channels) * configuration.shares >= channels
        tiles = configuration.tiles(job.outputs)
        assert all(
            count * part >= length for count, part, length in zip(tiles, tile[:3], job.outputs, strict=True)
        )
