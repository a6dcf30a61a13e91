"""Fixtures of the training tests."""

import os

import pytest


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each file, or folder, had when it was flushed to the disk."""
    sizes: list[int] = []
    flush = os.fsync

    def fsync(descriptor: int) -> None:
        sizes.append(os.fstat(descriptor).st_size)
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return sizes
