"""A slice of the fuzz that runs for hours: `python tests/fuzz_native.py`."""

from types import ModuleType

import pytest
from fuzz_native import random_case, run_case


@pytest.mark.parametrize("start", range(0, 2000, 250))
def test_random_calls_agree(start: int, compiled: ModuleType) -> None:
    checked = [run_case(number) for number in range(start, start + 250)]
    assert sum(checked) > 200


def test_a_case_is_a_pure_function_of_its_number() -> None:
    assert random_case(17) == random_case(17) != random_case(18)
