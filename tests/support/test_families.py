"""What stands for every family is every family."""

import pytest
import torch
from support.families import EVERY_FAMILY, FAMILIES, Family, random_theta, smooth_image

from torchstn import sample, transform
from torchstn.transform import Transform


def test_every_public_family_is_there_in_every_dimension() -> None:
    public = {
        value
        for name in transform.__all__
        if isinstance(value := getattr(transform, name), type) and issubclass(value, Transform)
    } - {Transform}
    for dims in (1, 2, 3):
        assert {type(family.make()) for family in FAMILIES if family.dims == dims} == public
    assert len({family.id for family in FAMILIES}) == len(FAMILIES) == 3 * len(public)


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_random_parameters_move_every_sample_and_fold_nothing(family: Family) -> None:
    grid = family.make()(random_theta(family.make(), 8), (9, 8, 7)[-family.dims :])
    assert grid.dims == family.dims
    assert (grid.displacement().abs().flatten(1).amax(1) > 1e-3).all()
    assert (grid.jacobian_determinant() > 0).all()


def test_a_smooth_image_is_smooth() -> None:
    image = smooth_image((40, 41))
    half = torch.tensor([[1.0 / 41, 1.0 / 40]], dtype=torch.float64)  # half a pixel
    once = sample(image, transform.Translation()(half, (40, 41)))[..., 1:-1, 1:-1]
    assert (once - image[..., 1:-1, 1:-1]).abs().max() < 0.1
    assert image.std() > 0.3
