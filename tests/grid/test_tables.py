"""What a basis hands to those who evaluate it themselves: its values on the lattice."""

from typing import Any

import pytest
import torch
from support.closeness import assert_close
from support.families import EVERY_CONVENTION

from torchstn.grid import Basis, BasisGrid, DenseBasis, SplineBasis, ThinPlateBasis
from torchstn.grid.absolute import AbsolutePoints
from torchstn.grid.lattice import lattice

CPU = torch.device("cpu")
BASES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "thin plate": (ThinPlateBasis((3, 4)), (6, 5)),
    "thin plate in 3-D": (ThinPlateBasis((2, 2, 3)), (3, 4, 2)),
    "dense": (DenseBasis(torch.randn(3, 6, 5)), (6, 5)),
    "dense, of another size": (DenseBasis(torch.randn(3, 4, 7)), (6, 5)),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("name", BASES)
def test_a_table_holds_each_function_on_the_lattice(
    name: str, align_corners: bool, dtype: torch.dtype
) -> None:
    basis, size = BASES[name]
    table = basis.table(size, align_corners, dtype, CPU)
    assert table.shape == (basis.functions, size[0] * size[1] * (size[2] if len(size) > 2 else 1))
    unit = torch.eye(basis.functions, dtype=dtype).unsqueeze(-1).expand(-1, -1, len(size))
    points = lattice(size, align_corners, dtype, CPU).flatten(0, -2).unsqueeze(0)
    assert_close(table, basis.evaluate(unit, points, align_corners)[..., 0], tolerance=1e-5)
    assert_close(table.view(-1, *size), basis.field(unit, size, align_corners)[:, 0])


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
def test_products_of_a_splines_tables_are_its_functions(align_corners: bool) -> None:
    basis, size = SplineBasis((4, 5, 6)), (3, 7, 2)
    tables = basis.axis_tables(size, align_corners, torch.float64, CPU)
    assert [table.shape for table in tables] == [(4, 3), (5, 7), (6, 2)]
    assert all(table.is_contiguous() for table in tables)
    product = torch.einsum("ax,by,cz->abcxyz", *tables).flatten(0, 2)
    unit = torch.eye(basis.functions, dtype=torch.float64).unsqueeze(-1).expand(-1, -1, 3)
    assert_close(product, basis.field(unit, size, align_corners)[:, 0])
    assert basis.table(size, align_corners, torch.float64, CPU) is None


def test_a_basis_of_ones_own_needs_no_table() -> None:
    class Ramp(Basis):
        functions = 1

        def field(self, offsets: torch.Tensor, size: Any, align_corners: bool) -> torch.Tensor:
            ramp = lattice(size, align_corners, offsets.dtype, offsets.device)[..., 0]
            return offsets.transpose(1, 2).unsqueeze(-1) * ramp

        def evaluate(self, offsets: torch.Tensor, points: torch.Tensor, align_corners: bool) -> torch.Tensor:
            return offsets * points[..., :1]

    import torchstn as stn

    image = torch.randn(1, 2, 5, 6, dtype=torch.float64)
    matrix, offsets = torch.eye(2, 3, dtype=torch.float64)[None], torch.tensor([[[-0.25, 0.0]]]).double()
    output = stn.sample(image, BasisGrid(matrix, offsets, Ramp(), size=(5, 6)))
    narrowed = torch.tensor([[[0.75, 0.0, 0.0], [0.0, 1.0, 0.0]]]).double()
    assert_close(output, stn.sample(image, stn.grid.MatrixGrid(narrowed, size=(5, 6))))


def test_a_basis_grid_of_two_types_is_read_as_before() -> None:
    import torchstn as stn

    image, basis = torch.randn(1, 2, 5, 6), DenseBasis(torch.randn(3, 4, 7))
    matrix, offsets = torch.eye(2, 3, dtype=torch.float64)[None] * 0.9, torch.randn(1, 3, 2) / 10
    grid = BasisGrid(matrix, offsets, basis, size=(4, 7))
    assert_close(stn.sample(image, grid), stn.sample(image, grid, backend="reference"))


def test_absolute_points_are_not_rounded() -> None:
    """As displacements from the lattice and back they would be."""
    points = torch.rand(2, 3, 4, 2) * 1e-3
    absolute = AbsolutePoints(points, False)
    assert absolute.size == (3, 4)
    assert absolute.dtype == torch.float32
    x, y = absolute.pixel_coordinates((10, 20))
    assert torch.equal(x, ((points[..., 0] + 1) * 20 - 1) / 2)
    assert torch.equal(y, ((points[..., 1] + 1) * 10 - 1) / 2)
