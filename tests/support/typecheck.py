"""The run-time type checker of the typed test session: beartype, less the hints it cannot take alone."""

from collections.abc import Callable
from typing import Any, Self

from beartype import beartype


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with its argument and return types checked at every call.

    `Self` has a meaning within a class only, and functions come here one by one: it is left unchecked.
    """
    function.__annotations__ = {
        name: Any if hint is Self else hint for name, hint in function.__annotations__.items()
    }
    return beartype(function)
