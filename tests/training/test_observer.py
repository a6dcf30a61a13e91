"""An epoch's last step is watched, and no other; what was seen stands in the epoch's record."""

from pathlib import Path

import pytest
from support import tiny_training
from support.tiny_training import PER_EPOCH, Samples, train

from torchstn.training import Run

STEPS = 2 * PER_EPOCH + 3


def test_each_record_tells_of_the_epochs_last_batch(tmp_path: Path) -> None:
    train(tmp_path, steps=STEPS)
    records = Run(tmp_path).metrics.read()
    assert [record["step"] for record in records] == [PER_EPOCH, 2 * PER_EPOCH, STEPS]
    for record in records:
        batch = Samples()(*divmod(record["step"] - 1, PER_EPOCH), 0, 1)
        assert record["seen/input"] == pytest.approx(float(batch.tensors[0].mean()))
        assert record["seen/gradient"] > 0


def test_no_other_step_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = []
    real = tiny_training.observer
    monkeypatch.setattr(tiny_training, "observer", lambda model: (watched.append(model), real(model))[1])
    train(tmp_path, steps=STEPS)
    assert len(watched) == 3
