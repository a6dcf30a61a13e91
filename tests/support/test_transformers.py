"""The transformers of the other tests: of every family, and none the identity."""

import pytest
import torch
from support.families import FAMILIES, Family
from support.transformers import SIZES, family, torch_sample, transformer


@pytest.mark.parametrize("family", FAMILIES, ids=lambda one: one.id)
def test_the_head_moves_each_image_in_a_way_of_its_own(family: Family) -> None:
    size = SIZES[family.dims]
    module = transformer(family.make(), size)
    theta = module.theta(torch.rand(2, 1, *size))
    assert theta.shape == (2, module.transform.n_parameters)
    assert (theta[0] != theta[1]).any()
    assert ((theta - module.transform.identity()).abs().amax(1) > 1e-3).all()


def test_unstirred_is_the_identity() -> None:
    module = transformer(stir=0.0)
    assert torch.equal(module.theta(torch.rand(1, 1, 8, 9))[0], module.transform.identity())


def test_a_family_is_found_by_its_name_and_dimensions() -> None:
    found = family("thin_plate", 3, max_displacement=0.5)
    assert (type(found).__name__, found.dims, found.max_displacement) == ("ThinPlate", 3, 0.5)


def test_torch_sample_reads_a_row() -> None:
    image = torch.tensor([[[0.0, 10.0, 20.0, 30.0]]])
    points = torch.tensor([[[-0.75], [-0.5], [0.0], [0.9]]])  # pixels 0, 0.5, 1.5 and 3.3
    expected = torch.tensor([[[0.0, 5.0, 15.0, 0.7 * 30]]])
    torch.testing.assert_close(torch_sample(image, points), expected)
