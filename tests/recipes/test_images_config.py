"""What a config of a user's own pictures says reaches the loss, the network and the batches."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from support.picture_folders import CLASSES, draw_folder, make

from torchstn.data.canvas import read_canvas
from torchstn.recipes.images import RECIPE, Pictures, build_model
from torchstn.recipes.images.data import FILL


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("own") / "farben", 6)


def test_a_sample_counts_what_its_class_does_in_the_loss_and_once_in_the_error() -> None:
    logits, labels, weights = torch.randn(5, 3), torch.tensor([0, 1, 2, 1, 0]), torch.rand(5) + 0.5
    values = RECIPE.objective(make(), logits, labels, weights)
    torch.testing.assert_close(values["loss"], weights * F.cross_entropy(logits, labels, reduction="none"))
    assert values["error"].tolist() == (100.0 * (logits.argmax(1) != labels)).tolist()


@pytest.mark.parametrize(("size", "crop", "halvings"), [(32, 0, 0), (64, 32, 1), (65, 32, 2), (128, 32, 2)])
def test_a_crop_of_a_larger_picture_is_read_from_as_many_halvings(
    size: int, crop: int, halvings: int
) -> None:
    model = build_model(make(size=size, crop=crop, dropout=0.35), CLASSES)
    assert [each.sampler.antialias for each in model.transformer.transformers] == [halvings]
    assert model.dropout.p == 0.35


@pytest.mark.parametrize("fit", ["whole", "crop"])
def test_pictures_are_fitted_as_the_config_says_and_changed_only_where_it_says(
    fit: str, folder: Path
) -> None:
    pictures = Pictures.load(make(data_dir=str(folder), fit=fit, augment="none", mirror="no"))
    plain, labels, _ = pictures.training()(0, 0, 0, 1).tensors
    expected = {
        int(place): read_canvas(folder / pictures.canvases.files[place], 32, fit=fit, fill=FILL)[0]
        for place in pictures.learnt
    }
    for picture, label in zip(plain, labels, strict=True):
        same = [place for place, one in expected.items() if torch.equal(one, picture)]
        assert same
        assert pictures.labels[same[0]] == label
    for choices in ({"augment": "none", "mirror": "yes"}, {"augment": "light", "mirror": "no"}):
        other = Pictures.load(make(data_dir=str(folder), fit=fit, **choices)).training()(0, 0, 0, 1).tensors
        assert not torch.equal(other[0], plain)
