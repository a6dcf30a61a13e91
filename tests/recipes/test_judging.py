"""How answers are judged: the loss and the errors of one class and of sequences, in eval mode."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from torchstn.recipes.judging import ACCURACY, ERROR, cross_entropy, score, wrong
from torchstn.recipes.samples import Batch, Samples


def test_the_loss_of_a_sequence_is_the_sum_of_its_positions() -> None:
    logits, labels = torch.randn(6, 5, 11), torch.randint(0, 11, (6, 5))
    each = [F.cross_entropy(logits[:, k], labels[:, k], reduction="none") for k in range(5)]
    torch.testing.assert_close(cross_entropy(None, logits, labels)["loss"], torch.stack(each).sum(0))
    single = cross_entropy(None, logits[:, 0], labels[:, 0])
    torch.testing.assert_close(single["loss"], each[0])


def test_a_sequence_is_right_only_where_every_position_is() -> None:
    labels = torch.tensor([[1, 2, 10, 10, 10]]).expand(3, -1)
    guesses = labels.clone()
    guesses[1, 4], guesses[2, 0] = 0, 3
    logits = F.one_hot(guesses, 11).float()
    assert wrong(logits, labels).tolist() == [False, True, True]
    assert cross_entropy(None, logits, labels)["error"].tolist() == [0.0, 100.0, 100.0]


class _Given(Samples):
    """Batches whose inputs are the logits."""

    def __init__(self, *batches: Batch) -> None:
        self._batches = batches

    def training(self) -> Any:
        raise NotImplementedError

    def held_out(self, part: int = 0, parts: int = 1) -> Any:
        return iter(self._batches[part::parts])

    def __len__(self) -> int:
        return sum(len(labels) for _, labels in self._batches)


class _Echo(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * self.scale


def test_score_judges_in_eval_mode() -> None:
    modes: list[bool] = []
    model = _Echo().train()
    model.register_forward_hook(lambda module, inputs, output: modes.append(module.training))
    batch = torch.eye(3), torch.arange(3)
    assert score(_Given(batch, batch), model)["error"] == 0
    assert modes == [False, False]


def test_score_counts_sequences_for_the_error_and_positions_for_the_confusion() -> None:
    labels = torch.tensor([[0, 1], [2, 2], [1, 0]])
    guesses = torch.tensor([[0, 1], [2, 0], [1, 0]])
    logits = F.one_hot(guesses, 3).float()
    judged = score(_Given((logits[:2], labels[:2]), (logits[2:], labels[2:])), _Echo())
    assert (judged["error"], judged["count"]) == (pytest.approx(100 / 3), 3)
    assert judged["confusion"] == [[2, 0, 0], [0, 2, 0], [1, 0, 1]]
    assert (ERROR.of(judged["error"]), ACCURACY.of(25.0)) == (judged["error"], 75.0)
