"""What only a GPU can show: CUDA graphs, streams, tuning, sizes beyond 32 bits, the whole compiler."""

from collections.abc import Iterator

import pytest
import torch
from support.closeness import assert_close
from torch import Tensor

import torchstn as stn
from torchstn.grid import MatrixGrid
from torchstn.sampler.triton import tuning

pytestmark = [
    pytest.mark.usefixtures("triton_device"),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="There is no GPU here."),
]


def _inputs(*shape: int) -> tuple[Tensor, Tensor]:
    image = torch.randn(*shape, device="cuda", requires_grad=True)
    turn = torch.tensor([[0.9, -0.3, 0.1], [0.3, 0.9, -0.1]], device="cuda")
    return image, turn.repeat(shape[0], 1, 1).requires_grad_()


def _slopes(image: Tensor, matrix: Tensor) -> tuple[Tensor, ...]:
    output = stn.sample(image, MatrixGrid(matrix, size=tuple(image.shape[2:])), backend="triton")
    return output, *torch.autograd.grad(output.square().sum(), [image, matrix])


@pytest.fixture
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("warm", [True, False], ids=["tuned before", "never run before"])
def test_a_cuda_graph_replays_what_was_captured(warm: bool, deterministic: None) -> None:
    image, matrix = _inputs(4, 3, 61, 67 if warm else 71)
    other = torch.randn_like(image)
    expected = _slopes(other.requires_grad_(), matrix)
    if warm:
        _slopes(image, matrix)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = _slopes(image, matrix)
    with torch.no_grad():
        image.copy_(other)
    graph.replay()
    assert all(torch.equal(*pair) for pair in zip(captured, expected, strict=True))


def test_a_step_of_training_in_a_cuda_graph() -> None:
    model = stn.SpatialTransformer(
        stn.localisation.FullyConnected(1, (42, 42), hidden=(8,)), stn.transform.Affine(), stn.Sampler()
    ).cuda()
    image = torch.rand(16, 1, 42, 42, device="cuda")
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3, capturable=True)

    def step() -> Tensor:
        optimiser.zero_grad(set_to_none=True)
        loss = model(image).square().mean()
        loss.backward()
        optimiser.step()
        return loss

    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()
    losses = []
    for _ in range(20):
        graph.replay()
        losses.append(float(loss))
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("mode", ["default", "reduce-overhead"])
def test_the_whole_compiler_keeps_the_values(mode: str) -> None:
    image, matrix = _inputs(2, 3, 31, 37)

    def function(image: Tensor, matrix: Tensor) -> Tensor:
        return stn.sample(image * 2, MatrixGrid(matrix, size=(31, 37))).relu()

    compiled = torch.compile(function, fullgraph=True, mode=mode)
    for _ in range(3):
        output = compiled(image, matrix)
        slopes = torch.autograd.grad(output.sum(), [image, matrix])
    expected = function(image, matrix)
    assert_close(output, expected)
    for actual, wanted in zip(slopes, torch.autograd.grad(expected.sum(), [image, matrix]), strict=True):
        assert_close(actual, wanted, tolerance=2e-5)
    torch._dynamo.reset()


def test_large_calls_are_tuned_and_the_choice_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "_chosen", {})
    image, matrix = _inputs(8, 3, 256, 256)
    first = _slopes(image, matrix)
    assert len(tuning._chosen) == 2
    for actual, expected in zip(_slopes(image, matrix), first, strict=True):
        assert_close(actual, expected, tolerance=2e-5)
    assert len(tuning._chosen) == 2


def test_deterministic_gradients_have_the_same_bits_in_every_run(deterministic: None) -> None:
    image, matrix = _inputs(8, 3, 256, 256)
    runs = [_slopes(image, matrix) for _ in range(5)]
    assert all(torch.equal(one, first) for run in runs[1:] for one, first in zip(run, runs[0], strict=True))


def test_works_on_the_current_stream() -> None:
    image, matrix = _inputs(4, 3, 128, 128)
    expected = _slopes(image, matrix)[0]
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        output = _slopes(image, matrix)[0]
    torch.cuda.current_stream().wait_stream(stream)
    assert torch.equal(output, expected)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_images_beyond_32_bits(layout: torch.memory_format) -> None:
    """Of whom one sample has more elements than fit; only the last channel differs from zero."""
    if torch.cuda.get_device_properties(0).total_memory < 40 * 2**30:
        pytest.skip("This GPU has too little memory.")
    image = torch.zeros(1, 36, 8192, 8192, dtype=torch.bfloat16, device="cuda").contiguous(
        memory_format=layout
    )
    image[:, -1] = torch.randn(8192, 8192, device="cuda")
    grid = MatrixGrid(torch.eye(2, 3, device="cuda")[None], size=(8192, 8192))
    assert torch.equal(stn.sample(image, grid, backend="triton"), image)
