"""A bar on a terminal, a line an epoch elsewhere, silence where it is asked for."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from torchstn.training import Reporter

RECORD = {
    "step": 5,
    "epoch": 1,
    "loss": 0.123456,
    "error": 12.0,
    "transformer/coverage": 0.9,
    "learning_rate": 0.001,
    "seconds": 61.6,
}


def shown(terminal: bool, **settings: Any) -> str:
    stream = StringIO()
    console = Console(file=stream, force_terminal=terminal, width=120, color_system=None)
    with Reporter("r/cnn", 10, 4, console=console, **settings) as reporter:
        reporter.step()
        reporter.epoch(RECORD)
    return stream.getvalue()


def test_elsewhere_an_epoch_is_one_line_with_its_numbers() -> None:
    assert shown(terminal=False) == "r/cnn  epoch 1  step 5  loss 0.1235  error 12  62 s\n"


def test_a_terminal_gets_a_bar_that_counts_the_steps_of_earlier_processes() -> None:
    text = shown(terminal=True)
    assert "r/cnn" in text
    assert "5/10" in text
    assert "loss 0.1235  error 12" in text
    assert "epoch 1" not in text


@pytest.mark.parametrize("terminal", [True, False])
def test_switched_off_it_says_nothing(terminal: bool) -> None:
    assert shown(terminal, enabled=False) == ""


def test_what_is_grouped_and_what_is_no_result_is_not_shown() -> None:
    for terminal in (True, False):
        text = shown(terminal)
        assert "coverage" not in text
        assert "learning_rate" not in text


def test_the_bar_ends_with_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    stream = StringIO()
    console = Console(file=stream, force_terminal=True, width=120)
    with pytest.raises(KeyError), Reporter("r/cnn", 10, console=console):
        raise KeyError
    # The cursor, hidden while a bar is drawn, is back.
    assert stream.getvalue().rindex("\x1b[?25h") > stream.getvalue().rindex("\x1b[?25l")
