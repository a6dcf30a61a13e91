"""The typed test session, a pytest plugin: every call into the library is checked against its annotations.

    PYTHONPATH=tests python -m pytest -p support.typecheck tests/grid tests/transform tests/sampler

Types and shapes alike: that an image is (n, c, *size) says `_types.Image`, and that its batch is the grid's
says the signature of `sample`. A session of its own, because the checks come before the library's, whose
refusals would never be seen.
"""

import inspect
from collections.abc import Callable
from typing import Any, Self

import pytest
from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

CANNOT = {
    "pytest.raises": "what is refused is refused by the checks first",
    "torch.compile": "a tracer does not pass through the checks",
    "torch.export": "as torch.compile",
    "make_fx": "as torch.compile",
}
"""What a test's source holds that cannot run in this session, and why."""


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with its arguments and its result checked at every call.

    `Self` has a meaning within a class only, and functions come here one by one: it is left unchecked.
    """
    function.__annotations__ = {
        name: Any if hint is Self else hint for name, hint in function.__annotations__.items()
    }
    # A whole number is a float, as it is to mypy.
    return beartype(conf=BeartypeConf(is_pep484_tower=True))(function)


def can_run(source: str) -> bool:
    """Whether a test of this source can run in a typed session."""
    return not any(word in source for word in CANNOT)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if not can_run(inspect.getsource(item.function))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_configure() -> None:
    install_import_hook("torchstn", "support.typecheck.checked")
