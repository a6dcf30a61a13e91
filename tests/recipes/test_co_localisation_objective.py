"""Co-localisation's objective, and which of its attempts is taken."""

from pathlib import Path
from typing import Any

import pytest
import torch

from torchstn.recipes.co_localisation import Config, optimise
from torchstn.recipes.co_localisation.localiser import localiser
from torchstn.recipes.co_localisation.loss import triplet_loss
from torchstn.recipes.co_localisation.patches import Patches


def config(**overrides: Any) -> Config:
    return Config.make(
        "demo", **({"images": 6, "batch": 4, "patches": 6, "rounds": 2, "device": "cpu"} | overrides)
    )


def test_the_attempt_of_least_loss_is_taken_and_the_work_of_all_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def attempt(task: Any, choices: Any, number: int, *_: Any) -> optimise.Found:
        losses = torch.full((6,), (3.0, 1.0, 2.0)[number])
        return optimise.Found(torch.zeros(6, 3), losses, None, [], 10, 0.5)  # type: ignore[arg-type]  # nobody looks at it

    monkeypatch.setattr(optimise, "_attempt", attempt)
    found = optimise.co_localise(
        torch.rand(6, 1, 84, 84), torch.nn.Flatten(), config(attempts=3), tmp_path, progress=False
    )
    assert (found.loss, found.steps, found.seconds) == (1.0, 30, 1.5)


@pytest.mark.parametrize("partner", ["held", "free"])
def test_the_objective_is_the_triplet_loss_and_a_pull_to_what_is_preferred(partner: str) -> None:
    pictures, places, numbers = (
        torch.rand(6, 1, 84, 84),
        torch.tensor([4, 0, 2, 5]),
        torch.tensor([1, 2, 3, 0]),
    )
    st = localiser(1, 84, 28, stride=4, hidden=8, growth=1.5, seed=0)
    crops, grid = st(pictures[places], return_grid=True)
    # Each crop is nearer to the mean of all than to another one, and all patches are like the mean.
    mean = crops.detach().flatten(1).mean(0)
    patches = Patches(torch.rand(6, 6, 3), mean + 0.1 * torch.rand(6, 6, 28 * 28))
    wanted = torch.rand(6, 3), mean.repeat(6, 1)
    wanted[1][5] = 9.0  # like none
    values = optimise._objective(
        st,
        places,
        numbers,
        task=optimise._Task(pictures, pictures, torch.nn.Flatten(), patches, 28),
        choices=config(pull=0.7, partner=partner),
        wanted=wanted,
    )
    triplet = triplet_loss(crops.flatten(1), patches.descriptors[places, numbers], held=partner == "held")
    assert triplet.min() > 1
    torch.testing.assert_close(values["triplet"], triplet)
    pulled = torch.tensor([1.0, 1, 1, 0])
    assert torch.equal(values["pulled"], pulled)
    distance = (grid.theta - wanted[0][places]).square().sum(1)
    torch.testing.assert_close(values["loss"], triplet + 0.7 * distance * pulled)
    gradients = [torch.autograd.grad(loss.sum(), st.head.bias)[0] for loss in (values["triplet"], triplet)]
    torch.testing.assert_close(*gradients)
