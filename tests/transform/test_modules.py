"""A family is a module like any other: copied, pickled, loaded; a user may write one."""

import copy
import pickle
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from support.families import EVERY_FAMILY, Family, random_theta
from torch import Tensor

from torchstn import sample
from torchstn.grid import Grid, MatrixGrid, PointGrid
from torchstn.transform import Affine, Frame, Transform

SIZE = (4, 6, 5)


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_copies_do_the_same_and_share_nothing(family: Family, how: str) -> None:
    instance = family.make()
    theta = random_theta(instance)
    size = SIZE[-family.dims :]
    expected = instance(theta, size).points()
    other = copy.deepcopy(instance) if how == "deepcopy" else pickle.loads(pickle.dumps(instance))
    for value in (*instance.parameters(), *instance.buffers()):
        value.data.fill_(7)
    assert torch.equal(other(theta, size).points(), expected)


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_only_what_is_learned_is_in_the_state(family: Family) -> None:
    """So that a checkpoint loads into a model that starts elsewhere."""
    instance = family.make()
    assert set(instance.state_dict()) == ({"functions"} if family.name == "basis" else set())
    family.make(initial=0.1 + instance.identity()).load_state_dict(instance.state_dict())


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_an_empty_batch_gives_an_empty_grid(family: Family) -> None:
    instance = family.make()
    size = SIZE[-family.dims :]
    theta = instance.constrain(torch.zeros(0, instance.n_parameters))
    grid = instance(theta, size)
    assert len(grid) == 0
    assert grid.points().shape == (0, *size, family.dims)
    assert sample(torch.zeros(0, 3, *size), grid).shape == (0, 3, *size)


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_one_made_on_meta_starts_as_any_other_once_it_is_somewhere(family: Family) -> None:
    with torch.device("meta"):
        instance = family.make()
    expected = family.make()
    raw = torch.zeros(2, expected.n_parameters)
    assert torch.equal(instance.constrain(raw), expected.constrain(raw))
    instance.to_empty(device="cpu")
    assert torch.equal(instance.start, expected.start)
    instance.load_state_dict(expected.state_dict())
    theta, size = random_theta(expected), SIZE[-family.dims :]
    assert torch.equal(instance(theta, size).points(), expected(theta, size).points())


def test_a_moved_start_keeps_its_numbers() -> None:
    instance = Affine(initial=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).to("meta").to_empty(device="cpu").double()
    expected = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).double()
    assert torch.equal(instance.start, expected)


class Shear(Transform):
    """A user's own family."""

    def __init__(self) -> None:
        super().__init__(2, 1, None)

    def identity(self) -> Tensor:
        return torch.zeros(1)

    def build(self, theta: Tensor, frame: Frame) -> MatrixGrid:
        zero, one = torch.zeros_like(theta), torch.ones_like(theta)
        rows = torch.cat([one, theta, zero, zero, one, zero], 1).unflatten(1, (2, 3))
        return MatrixGrid(rows, size=frame.size, align_corners=frame.align_corners)


def test_a_family_of_the_users_own_has_the_rest_for_nothing() -> None:
    theta = torch.tensor([[0.0], [float("nan")], [0.5]], requires_grad=True)
    image = torch.randn(3, 1, 5, 6)
    grid = Shear()(theta, (5, 6))
    output = sample(image, grid)
    assert torch.equal(output[0], image[0])
    assert (output[1] == 0).all()
    assert torch.autograd.grad(output.square().sum(), theta)[0].isfinite().all()
    assert grid.theta is theta


@dataclass(frozen=True, eq=False, repr=False)
class Moved(Grid):
    """A user's own grid: every point is moved by as much."""

    shift: Tensor

    @property
    def parameter(self) -> Tensor:
        return self.shift

    def displacement(self) -> Tensor:
        return self.shift[:, None, None].expand(-1, *self.size, -1)

    def displace(self, points: Tensor) -> Tensor:
        return self.shift[:, None].expand(-1, points.shape[1], -1)

    def pixel_coordinates(self, input_size: Any) -> tuple[Tensor, ...]:
        return PointGrid(self.displacement(), align_corners=self.align_corners).pixel_coordinates(input_size)

    def inverse(self, size: Any = None) -> "Moved":
        return Moved(-self.shift, size=size or self.size, align_corners=self.align_corners)


class MovedInTurn(Moved):
    """One whose fields begin with what moves nothing."""

    batched: ClassVar[tuple[str, ...]] = ("theta", "shift")


class Making(Transform):
    """Makes whatever grid it is told to."""

    def __init__(self, make: Any) -> None:
        super().__init__(2, 2, None)
        self.make = make

    def identity(self) -> Tensor:
        return torch.zeros(2)

    def build(self, theta: Tensor, frame: Frame) -> Grid:
        return self.make(theta, size=frame.size, align_corners=frame.align_corners)


def test_a_grid_of_the_users_own_reads_outside_where_theta_is_no_number() -> None:
    theta = torch.tensor([[0.0, 0.0], [float("nan"), 0.0]], requires_grad=True)
    image = torch.randn(2, 1, 5, 6)
    output = sample(image, Making(MovedInTurn)(theta, (5, 6)))
    assert torch.equal(output[0], image[0])
    assert (output[1] == 0).all()
    assert torch.autograd.grad(output.square().sum(), theta)[0].isfinite().all()


def test_refuses_what_is_no_grid_or_names_no_field() -> None:
    with pytest.raises(TypeError, match=r"`build` must return a torchstn\.Grid, got NoneType"):
        Making(lambda *_, **__: None)(torch.zeros(1, 2), (5, 6))
    with pytest.raises(TypeError, match=r"`batched` of Moved must name .* got \('theta',\)"):
        Making(Moved)(torch.zeros(1, 2), (5, 6))
