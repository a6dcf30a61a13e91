"""torch.compile and torch.export take a spatial transformer whole, for any batch."""

import io
from collections.abc import Iterator, Sequence

import pytest
import torch
from support.closeness import assert_close
from support.families import FAMILIES
from support.transformers import stir_heads, transformer
from torch import Tensor, nn
from torch._dynamo.testing import CompileCounterWithBackend

import torchstn as stn

TOLERANCE = 1e-5
"""Share of the largest magnitude, in float32; worst seen 4e-7, where the compiler fuses products and sums."""


@pytest.fixture(autouse=True)
def fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def any_batch(count: int, size: Sequence[int] = (8, 9)) -> Tensor:
    image = torch.rand(count, 1, *size)
    torch._dynamo.mark_dynamic(image, 0)
    return image


def gradients(module: nn.Module, output: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(output.square().sum(), list(module.parameters())))


def assert_compiles_once(module: nn.Module, backend: str, batches: Sequence[int]) -> None:
    counter = CompileCounterWithBackend(backend)
    compiled = torch.compile(module, fullgraph=True, backend=counter)
    for count in batches:
        image = any_batch(count)
        output, expected = compiled(image), module(image)
        assert_close(output, expected, tolerance=TOLERANCE)
        for found, wanted in zip(gradients(module, output), gradients(module, expected), strict=True):
            assert_close(found, wanted, tolerance=TOLERANCE)
    assert counter.frame_count == 1


@pytest.mark.slow
def test_inductor_compiles_affine_once_for_all_batches() -> None:
    assert_compiles_once(transformer("affine"), "inductor", (3, 5, 2))


# One family of each kind of grid, and of each kind of basis.
@pytest.mark.parametrize("name", ["projective", "thin_plate", "displacement", "basis"])
def test_compiles_whole_and_once_for_all_batches(name: str) -> None:
    assert_compiles_once(transformer(name), "aot_eager", (3, 5))


def test_compiles_every_family_side_by_side() -> None:
    module = every_family(stn.localisation.FullyConnected(1, (8, 9), (8,)))
    image = torch.rand(3, 1, 8, 9)
    with torch.no_grad():
        compiled = torch.compile(module, fullgraph=True, backend="eager")(image)
        assert_close(compiled, module(image), tolerance=TOLERANCE)


def test_compiles_between_other_layers_and_returns_its_grid() -> None:
    module = transformer("affine")

    def step(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        output, grid = module(image * 2, return_grid=True)
        return output.relu(), grid.theta, grid.points()

    image = torch.rand(3, 1, 8, 9)
    found = torch.compile(step, fullgraph=True, backend="eager")(image)
    for one, wanted in zip(found, step(image), strict=True):
        assert_close(one, wanted, tolerance=TOLERANCE)


def test_compiles_under_autocast_and_moves_no_point() -> None:
    module, image = transformer("thin_plate"), torch.rand(3, 1, 8, 9)
    compiled = torch.compile(
        lambda x: module(x, return_grid=True)[1].points(), fullgraph=True, backend="eager"
    )
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = compiled(image)
        assert found.dtype == torch.float32
        assert torch.equal(found, module(image, return_grid=True)[1].points())


def test_an_exported_program_of_every_family_is_saved_and_reads_any_batch_and_size() -> None:
    module = every_family(stn.localisation.Backbone(nn.Conv2d(1, 4, 3), 4)).eval()
    # A field as large as the output is taken as it is: above that size, one program serves.
    height, width = (torch.export.Dim(axis, min=6, max=512) for axis in ("h", "w"))
    loaded = exported(module, torch.rand(3, 1, 8, 9), {0: torch.export.Dim("n"), 2: height, 3: width})
    for shape in ((3, 1, 8, 9), (1, 1, 11, 6), (5, 1, 6, 13)):
        image = torch.rand(shape)
        assert_close(loaded(image), module(image), tolerance=TOLERANCE)


def every_family(localisation: stn.localisation.Localisation) -> stn.Parallel:
    families = [one.make() for one in FAMILIES if one.dims == 2]
    module = stn.Parallel([stn.SpatialTransformer(localisation, one) for one in families])
    stir_heads(module)
    return module


def exported(module: nn.Module, image: Tensor, dynamic: dict[int, object]) -> nn.Module:
    """The module exported, saved, loaded."""
    file = io.BytesIO()
    torch.export.save(torch.export.export(module, (image,), dynamic_shapes=(dynamic,)), file)
    file.seek(0)
    return torch.export.load(file).module()
