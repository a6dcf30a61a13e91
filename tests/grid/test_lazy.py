"""A grid not yet computed reads where its points, computed and given to torch, read."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.closeness import assert_close
from support.families import EVERY_CONVENTION, EVERY_FAMILY, FAMILIES, Family, random_theta
from support.gradients import assert_gradients_agree
from torch import Tensor
from torch.nn import functional as F

from torchstn import sample
from torchstn.grid import MatrixGrid, PointGrid, lattice

INPUT = (4, 6, 5)
OUTPUT = (3, 5, 7)


def torch_sample(image: Tensor, points: Tensor, align_corners: bool) -> Tensor:
    """`F.grid_sample`, in 1-D by a row one pixel high."""
    if points.shape[-1] == 1:
        points = torch.stack([points[..., 0], torch.zeros_like(points[..., 0])], -1).unsqueeze(1)
        return F.grid_sample(image.unsqueeze(2), points, align_corners=align_corners).squeeze(2)
    return F.grid_sample(image, points, align_corners=align_corners)


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_samples_and_gradients_are_those_of_torch_at_the_points(family: Family, align_corners: bool) -> None:
    """The image has another size than the output: nothing may confuse the two."""
    instance = family.make()
    size, input_size = OUTPUT[-family.dims :], INPUT[-family.dims :]
    image = torch.randn(2, 2, *input_size, dtype=torch.float64)

    def lazy(image: Tensor, theta: Tensor) -> Tensor:
        return sample(image, instance(theta, size, input_size=input_size, align_corners=align_corners))

    def computed(image: Tensor, theta: Tensor) -> Tensor:
        grid = instance(theta, size, input_size=input_size, align_corners=align_corners)
        return torch_sample(image, grid.points(), align_corners)

    # Worst seen 1e-13: torch's own coordinates carry a rounding more.
    assert_gradients_agree(lazy, computed, [image, random_theta(instance, scale=0.3)], tolerance=1e-11)


@given(
    family=st.sampled_from(FAMILIES),
    lengths=st.tuples(*[st.integers(1, 9)] * 3),
    inputs=st.tuples(*[st.integers(1, 9)] * 3),
    align_corners=st.booleans(),
    seed=st.integers(0, 999),
)
@settings(max_examples=150)
def test_pixel_coordinates_are_the_points_in_pixels(
    family: Family, lengths: tuple[int, ...], inputs: tuple[int, ...], align_corners: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    size, input_size = lengths[-family.dims :], inputs[-family.dims :]
    grid = family.make()(random_theta(family.make(), scale=0.3), size, align_corners=align_corners)
    extent = torch.tensor([n - 1 if align_corners else n for n in reversed(input_size)], dtype=torch.float64)
    centre = (torch.tensor(input_size[::-1], dtype=torch.float64) - 1) / 2
    expected = grid.points() * extent / 2 + centre
    assert_close(torch.stack(grid.pixel_coordinates(input_size), -1), expected, tolerance=1e-11)


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_points_displacement_and_at_say_the_same(family: Family, align_corners: bool) -> None:
    size = OUTPUT[-family.dims :]
    if family.name in ("displacement", "basis"):
        size = (3, 4, 5)[-family.dims :] if family.name == "displacement" else (4, 3, 5)[-family.dims :]
    grid = family.make()(random_theta(family.make()), size, align_corners=align_corners)
    regular = lattice(size, align_corners, torch.float64, torch.device("cpu"))
    assert_close(grid.displacement(), grid.points() - regular, tolerance=1e-11)
    everywhere = regular.flatten(0, -2).unsqueeze(0)
    assert_close(grid.at(everywhere), grid.points().flatten(1, -2), tolerance=1e-11)
    assert_close(grid.displace(everywhere), grid.displacement().flatten(1, -2), tolerance=1e-11)


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_grids_from_points_and_from_pixels(dims: int, align_corners: bool) -> None:
    size = OUTPUT[-dims:]
    points = torch.rand(2, *size, dims, dtype=torch.float64) * 2 - 1
    grid = PointGrid.from_points(points, align_corners=align_corners)
    assert_close(grid.points(), points)

    moved = torch.randn(2, *size, dims, dtype=torch.float64)
    grid = PointGrid.from_pixels(moved, align_corners=align_corners)
    index = torch.meshgrid(*[torch.arange(n, dtype=torch.float64) for n in size], indexing="ij")
    expected = torch.stack(index[::-1], -1) + moved
    assert_close(torch.stack(grid.pixel_coordinates(size), -1), expected)


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_to_detach_index_and_length(family: Family) -> None:
    instance = family.make()
    theta = random_theta(instance, 3).requires_grad_()
    grid = instance(theta, OUTPUT[-family.dims :], align_corners=True)
    assert len(grid) == grid.batch == 3
    points = grid.points()
    for index in (0, 2, -1, slice(1, None), torch.tensor([2, 0]), torch.tensor([True, False, True])):
        part = grid[index]
        kept = [index] if isinstance(index, int) else index
        assert_close(part.points(), points[kept])
        assert torch.equal(part.theta, theta[kept])
        assert part.align_corners
        assert part.size == grid.size
    for whole in (np.int64(1), torch.tensor(1)):
        assert_close(grid[whole].points(), points[1:2])
    assert [item.batch for item in grid] == [1, 1, 1]
    with pytest.raises(IndexError, match="`index` must be within the batch of 3, got 3"):
        grid[3]

    assert grid.to(torch.float32).dtype == torch.float32
    torch.testing.assert_close(grid.to(torch.float32).points(), points.float())
    assert points.requires_grad
    assert not grid.detach().points().requires_grad
    assert not grid.detach().theta.requires_grad
    assert type(grid).__name__ in repr(grid)
    assert "batch=3" in repr(grid)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 4, 3), (1, 2, 4), (2, 3)])
def test_a_matrix_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"`matrix` must be \(n, 2, 3\) or \(n, 3, 3\)"):
        MatrixGrid(torch.zeros(shape), size=(4, 5))
