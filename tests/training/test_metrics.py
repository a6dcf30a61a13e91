"""The log of a run: a line a record, whole or left out, forgotten from a step on."""

import json
import os
from pathlib import Path

import pytest

from torchstn.training import Metrics

RECORDS = [{"step": 1, "loss": 0.1}, {"step": 2, "loss": 0.30000000000000004}, {"step": 4, "name": "ö"}]


@pytest.fixture
def metrics(tmp_path: Path) -> Metrics:
    log = Metrics(tmp_path / "run" / "metrics.jsonl")
    assert log.read() == []
    for record in RECORDS:
        log.append(record)
    return log


def test_each_record_is_a_line_of_json(metrics: Metrics) -> None:
    lines = metrics.path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == RECORDS
    assert metrics.read() == RECORDS


def test_a_whole_line_is_in_the_file_before_it_is_flushed_to_the_disk(
    tmp_path: Path, flushed: list[int]
) -> None:
    Metrics(tmp_path / "metrics.jsonl").append({"step": 1})
    assert flushed == [len('{"step": 1}\n')]


def test_truncating_keeps_the_step_and_what_was_before(metrics: Metrics) -> None:
    metrics.truncate(2)
    assert metrics.read() == RECORDS[:2]
    metrics.append({"step": 3})
    assert metrics.read() == [*RECORDS[:2], {"step": 3}]
    metrics.truncate(0)
    assert metrics.path.read_text() == ""


@pytest.mark.parametrize(
    "torn", ['{"step": 5, "lo', '{"step', "{", '{"step": 5, "name": "\N{LATIN SMALL LETTER O}']
)
def test_a_torn_last_line_is_left_out_and_removed_by_truncating(metrics: Metrics, torn: str) -> None:
    with metrics.path.open("a") as file:
        file.write(torn)
    assert metrics.read() == RECORDS
    metrics.truncate(9)
    metrics.append({"step": 5})
    assert metrics.read() == [*RECORDS, {"step": 5}]


def test_a_line_torn_inside_a_letter_is_left_out(metrics: Metrics) -> None:
    with metrics.path.open("ab") as file:
        file.write('{"step": 5, "name": "ö'.encode()[:-1])
    assert metrics.read() == RECORDS
    metrics.truncate(9)
    assert metrics.read() == RECORDS


@pytest.mark.parametrize("torn", ["5", "[1, 2]", '"text"', "null", '{"loss": 1.0}', '{"step": "x"}'])
def test_what_is_no_record_is_left_out(metrics: Metrics, torn: str) -> None:
    with metrics.path.open("a") as file:
        file.write(torn)
    assert metrics.read() == RECORDS
    metrics.truncate(9)
    assert metrics.read() == RECORDS


@pytest.mark.parametrize("step", [None, 1.0, "1"])
def test_a_record_without_a_step_is_refused(metrics: Metrics, step: object) -> None:
    with pytest.raises(ValueError, match="must hold an integer 'step'"):
        metrics.append({"step": step})
    assert metrics.read() == RECORDS


def test_truncating_what_does_not_exist_makes_nothing(tmp_path: Path) -> None:
    Metrics(tmp_path / "metrics.jsonl").truncate(3)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_flushed_is_told_and_spoils_no_record(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        metrics.truncate(1)
    assert metrics.read() == RECORDS
    with pytest.raises(OSError, match="No space left"):
        metrics.append({"step": 5})
    assert metrics.read()[: len(RECORDS)] == RECORDS
