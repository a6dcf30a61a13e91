"""A family is a module like any other: copied, pickled, loaded; a user may write one."""

import copy
import pickle

import pytest
import torch
from support.families import EVERY_FAMILY, Family, random_theta
from torch import Tensor

from torchstn import sample
from torchstn.grid import MatrixGrid
from torchstn.transform import Frame, Transform

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
