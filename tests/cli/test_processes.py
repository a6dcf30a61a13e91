"""A command that several processes run ends what they talk through, unless it fails."""

from collections.abc import Callable, Iterator

import pytest
import typer
from torch import distributed

from torchstn.cli.plainly import FAILURE, plainly


@pytest.fixture(autouse=True)
def group(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("RANK", "0")
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield
    if distributed.is_initialized():
        distributed.destroy_process_group()


def ending() -> str:
    return "done"


def ending_with_bad_files() -> None:
    raise typer.Exit(FAILURE)


def refusing() -> None:
    raise ValueError("`size` must be at least 1; got 0.")


def interrupted() -> None:
    raise KeyboardInterrupt


def test_a_command_that_ends_leaves_the_group() -> None:
    assert plainly(ending)() == "done"
    assert not distributed.is_initialized()


def test_a_command_that_ends_with_a_code_leaves_the_group() -> None:
    with pytest.raises(typer.Exit) as end:
        plainly(ending_with_bad_files)()
    assert end.value.exit_code == FAILURE
    assert not distributed.is_initialized()


@pytest.mark.parametrize("command", [refusing, interrupted])
def test_a_command_that_fails_stays_in_the_group(command: Callable[[], None]) -> None:
    with pytest.raises(typer.Exit):
        plainly(command)()
    assert distributed.is_initialized()  # the others may wait in it


def test_a_group_of_the_callers_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK")
    assert plainly(ending)() == "done"
    assert distributed.is_initialized()
