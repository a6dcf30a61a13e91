"""Grids as pytree nodes: flattened, copied, compiled and exported as arguments and as results."""

import copy
import io
import pickle

import pytest
import torch
import torch.utils._pytree as pytree
from support.families import EVERY_FAMILY, FAMILIES, Family, random_theta
from torch import Tensor, nn

from torchstn import Grid, sample, transform
from torchstn.grid import PointGrid
from torchstn.grid.composition import compose

SIZE = (3, 5, 4)
KINDS = ("affine", "projective", "thin_plate", "free_form", "displacement", "basis")
ONE_OF_EACH_KIND = [
    pytest.param(family, id=family.name) for family in FAMILIES if family.dims == 2 and family.name in KINDS
]


def grid_of(family: Family, *, align_corners: bool = True) -> Grid:
    instance = family.make()
    return instance(
        random_theta(instance, dtype=torch.float32), SIZE[-family.dims :], align_corners=align_corners
    )


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_flattening_and_rebuilding(family: Family) -> None:
    grid = grid_of(family)
    leaves, spec = pytree.tree_flatten(grid)
    assert all(isinstance(leaf, Tensor) for leaf in leaves)
    rebuilt = pytree.tree_unflatten(leaves, spec)
    assert type(rebuilt) is type(grid)
    assert (rebuilt.size, rebuilt.align_corners) == (grid.size, True)
    assert torch.equal(rebuilt.points(), grid.points())
    assert torch.equal(rebuilt.theta, grid.theta)
    doubled = pytree.tree_map(torch.Tensor.double, grid)
    torch.testing.assert_close(doubled.points().float(), grid.points())
    assert pytree.tree_flatten(grid_of(family))[1] == spec
    assert pytree.tree_flatten(grid_of(family, align_corners=False))[1] != spec


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_the_structure_survives_being_written(family: Family) -> None:
    """As torch.export.save writes it, and compares it on loading."""
    spec = pytree.tree_flatten(grid_of(family))[1]
    assert pytree.treespec_loads(pytree.treespec_dumps(spec)) == spec


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_copies(family: Family) -> None:
    grid = grid_of(family).detach()
    for other in (copy.deepcopy(grid), pickle.loads(pickle.dumps(grid)), copy.copy(grid)):
        assert torch.equal(other.points(), grid.points())
        assert torch.equal(other.theta, grid.theta)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not")  # looked at by torch
@pytest.mark.parametrize("family", ONE_OF_EACH_KIND)
def test_compiles_without_a_break_taking_and_returning_grids(family: Family) -> None:
    instance = family.make()
    image, theta = torch.randn(2, 1, 4, 5), random_theta(instance, dtype=torch.float32)

    @torch.compile(fullgraph=True, backend="aot_eager")
    def make(theta: Tensor) -> Grid:
        return instance(theta, (3, 5))

    @torch.compile(fullgraph=True, backend="aot_eager")
    def read(image: Tensor, grid: Grid) -> Tensor:
        return sample(image, compose(grid, grid))  # dynamo itself breaks at `@`, on any class

    torch._dynamo.reset()
    leaf = theta.clone().requires_grad_()
    output = read(image, make(leaf))
    expected_leaf = theta.clone().requires_grad_()
    grid = instance(expected_leaf, (3, 5))
    expected = sample(image, grid @ grid)
    torch.testing.assert_close(output, expected)
    (found,) = torch.autograd.grad(output.square().sum(), leaf)
    (wanted,) = torch.autograd.grad(expected.square().sum(), expected_leaf)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_composing_by_the_operator_compiles_in_parts() -> None:
    first, second = (
        transform.Affine()(torch.randn(2, 6), (3, 5)),
        transform.Rigid()(torch.randn(2, 3), (3, 5)),
    )
    image = torch.randn(2, 1, 4, 5)
    compiled = torch.compile(lambda image, a, b: sample(image, a @ b), backend="eager")
    torch._dynamo.reset()
    torch.testing.assert_close(compiled(image, first, second), sample(image, first @ second))


class Read(nn.Module):
    """Takes a grid."""

    def forward(self, image: Tensor, grid: Grid) -> Tensor:
        return sample(image, grid)


class Make(nn.Module):
    """Returns a grid."""

    def __init__(self, family: Family) -> None:
        super().__init__()
        self.transform = family.make()

    def forward(self, theta: Tensor) -> Grid:
        return self.transform(theta, (3, 5))


@pytest.mark.parametrize("family", ONE_OF_EACH_KIND)
def test_exports_taking_and_returning_grids(family: Family) -> None:
    make, image = Make(family).eval(), torch.randn(2, 1, 4, 5)
    theta = random_theta(make.transform, dtype=torch.float32)
    grid = make(theta)
    returned = torch.export.export(make, (theta,)).module()(theta)
    assert type(returned) is type(grid)
    torch.testing.assert_close(returned.points(), grid.points())

    file = io.BytesIO()
    torch.export.save(torch.export.export(Read(), (image, grid.detach())), file)
    file.seek(0)
    other = make(random_theta(make.transform, dtype=torch.float32)).detach()
    loaded = torch.export.load(file).module()
    torch.testing.assert_close(loaded(image, other), sample(image, other))


def test_vmap_over_a_grid_of_displacements() -> None:
    """Rebuilding must not check shapes: vmap takes the batch away."""
    field = 0.1 * torch.randn(3, 2, 4, 5, 2)
    images = torch.randn(3, 2, 1, 6, 7)
    grids = PointGrid(field.flatten(0, 1), align_corners=False)
    nested = pytree.tree_map(lambda leaf: leaf.unflatten(0, (3, 2)), grids)
    output = torch.func.vmap(sample)(images, nested)
    torch.testing.assert_close(output.flatten(0, 1), sample(images.flatten(0, 1), grids))


def test_vmap_over_and_out_of_compositions() -> None:
    """They have no theta: vmap takes and returns tensors only."""
    family = transform.ThinPlate(3)
    theta = 0.1 * torch.randn(3, 18)
    twice = torch.func.vmap(lambda row: (grid := family(row[None], (4, 5))) @ grid)(theta)
    grid = family(theta, (4, 5))
    torch.testing.assert_close(twice.displacement_field.squeeze(1), (grid @ grid).displacement_field)


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_is_saved_and_loaded_as_weights_only(family: Family) -> None:
    grid = grid_of(family).detach()
    file = io.BytesIO()
    torch.save(grid, file)
    file.seek(0)
    assert torch.equal(torch.load(file, weights_only=True).points(), grid.points())


def test_a_linearised_grid() -> None:
    """torch.func.jvp through a function that returns one: its tangent is a grid too."""
    family, theta = transform.Affine(), torch.randn(2, 6)
    primal, tangent = torch.func.jvp(lambda t: family(t, (3, 4)), (theta,), (torch.ones(2, 6),))
    assert torch.equal(primal.matrix, theta.view(2, 2, 3))
    assert torch.equal(tangent.matrix, torch.ones(2, 2, 3))
