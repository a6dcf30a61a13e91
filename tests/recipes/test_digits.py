"""Batches by address: what is in them depends on seed, epoch and index alone."""

import pytest
import torch

from torchstn.data import load_mnist
from torchstn.recipes.digits import Digits, split
from torchstn.recipes.distorted_mnist.data import TrainingBatches, fixed_batches
from torchstn.recipes.shuffled import held_out_of


@pytest.fixture(scope="module")
def digits() -> Digits:
    train, _ = split(load_mnist(None), 0)
    return Digits(train.images[::10], train.labels[::10], train.indices[::10])


@pytest.mark.parametrize("distortion", ["R", "RTS", "P", "E", "TC"])
@pytest.mark.parametrize("parts", [2, 3])
def test_the_parts_of_a_batch_are_the_batch(digits: Digits, distortion: str, parts: int) -> None:
    batches = TrainingBatches(digits=digits, distortion=distortion, batch=32, seed=5)
    whole = batches(2, 3, 0, 1)
    shares = [batches(2, 3, part, parts) for part in range(parts)]
    assert all(share.whole == 32 for share in shares)
    for part, share in enumerate(shares):
        for mine, all_of_it in zip(share.tensors, whole.tensors, strict=True):
            torch.testing.assert_close(mine, all_of_it[part::parts], atol=1e-6, rtol=0)


@pytest.mark.parametrize("parts", [1, 3])
def test_a_batch_is_the_same_in_whatever_order_batches_are_asked_for(digits: Digits, parts: int) -> None:
    ordered, resumed = (TrainingBatches(digits=digits, distortion="RTS", batch=44, seed=5) for _ in range(2))
    assert ordered.per_epoch % ordered.at_once not in (0, ordered.per_epoch)  # the last ones are fewer
    addresses = [(epoch, batch, 0, parts) for epoch in range(2) for batch in range(ordered.per_epoch)]
    wanted = {address: ordered(*address) for address in addresses}
    for address in [*addresses[6:], *addresses[:6], addresses[7], addresses[7]]:
        for mine, first in zip(resumed(*address).tensors, wanted[address].tensors, strict=True):
            assert torch.equal(mine, first)


def test_as_many_batches_are_made_at_once_as_is_said(digits: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    batches = TrainingBatches(digits=digits, distortion="none", batch=44, seed=5)
    make = batches.samples

    def counted(places: torch.Tensor, epoch: int) -> tuple[torch.Tensor, ...]:
        made.append(len(places))
        return make(places, epoch)

    monkeypatch.setattr(batches, "samples", counted)
    for batch in range(batches.per_epoch):
        batches(0, batch, 0, 1)
    assert made == [8 * 44, 44]
    batches(1, 5, 0, 1)  # where a training is resumed: with the same ones as in one that was never stopped
    assert made == [8 * 44, 44, 8 * 44]


def test_an_epoch_shows_no_digit_twice_and_each_in_another_order(digits: Digits) -> None:
    batches = TrainingBatches(digits=digits, distortion="none", batch=40, seed=0)
    epochs = [torch.cat([batches(e, b, 0, 1).tensors[0] for b in range(batches.per_epoch)]) for e in (0, 1)]
    assert [len(pictures) for pictures in epochs] == [400, 400]
    assert not torch.equal(*epochs)
    flat = [pictures.flatten(1).unique(dim=0) for pictures in epochs]
    assert len(flat[0]) == 400
    assert torch.equal(*flat)


def test_pictures_change_with_the_epoch_and_the_seed_and_come_back(digits: Digits) -> None:
    first, again, other = (
        TrainingBatches(digits=digits, distortion="R", batch=400, seed=seed) for seed in (0, 0, 1)
    )
    assert torch.equal(first(0, 0, 0, 1).tensors[0], again(0, 0, 0, 1).tensors[0])
    assert not torch.equal(first(0, 0, 0, 1).tensors[0], first(1, 0, 0, 1).tensors[0])
    assert not torch.equal(first(0, 0, 0, 1).tensors[0], other(0, 0, 0, 1).tensors[0])


def test_digits_drawn_once_are_the_same_in_every_epoch(digits: Digits) -> None:
    once = TrainingBatches(digits=digits, distortion="R", batch=400, seed=0, anew=False)
    first, later = (once(epoch, 0, 0, 1).tensors[0].flatten(1).unique(dim=0) for epoch in (0, 3))
    torch.testing.assert_close(first, later, atol=1e-6, rtol=0)


def test_what_is_judged_by_is_the_same_in_any_batches(digits: Digits) -> None:
    small = [torch.cat(column) for column in zip(*fixed_batches(digits, "RTS", size=7), strict=True)]
    large = [torch.cat(column) for column in zip(*fixed_batches(digits, "RTS", size=400), strict=True)]
    assert len(small[0]) == len(digits)
    torch.testing.assert_close(small[0], large[0], atol=1e-6, rtol=0)
    assert torch.equal(small[1], digits.labels)


def test_held_out_digits_are_not_trained_on_and_of_every_class() -> None:
    mnist = load_mnist(None)
    train, held = split(mnist, 500)
    assert (len(train), len(held)) == (3500, 500)
    assert not set(train.indices.tolist()) & set(held.indices.tolist())
    assert held.labels.bincount().tolist() == [50] * 10
    assert torch.equal(mnist.train_images[held.indices], held.images)
    train, test = split(mnist, 0)
    assert (len(train), len(test)) == (4000, 1000)
    assert torch.equal(test.images, mnist.test_images)


@pytest.mark.parametrize(
    ("count", "validation"), [(60_000, 10_000), (60_000, 5_000), (1001, 10), (7, 6), (9, 0)]
)
def test_held_out_samples_are_of_every_stretch_and_do_not_keep_step_with_the_order(
    count: int, validation: int
) -> None:
    held = held_out_of(count, validation)
    assert held.sum() == validation
    assert torch.equal(held, held_out_of(count, validation))
    for tenth in held.tensor_split(10) if validation >= 1000 else ():
        assert tenth.sum() == validation // 10
    for period in (2, 3, 6) if validation >= 1000 else ():
        shares = torch.stack([held[start::period].sum() for start in range(period)]) / validation
        assert (shares - 1 / period).abs().max() < 5 / validation**0.5


def test_too_large_batches_and_hold_outs_are_refused(digits: Digits) -> None:
    with pytest.raises(ValueError, match=r"`batch` must be at most .* 400, got 401"):
        TrainingBatches(digits=digits, distortion="R", batch=401, seed=0)
    with pytest.raises(ValueError, match="`validation` must leave samples"):
        split(load_mnist(None), 4000)
