"""A session in which Triton interprets its kernels on the CPU, a pytest plugin: `make test-triton`.

    pytest -p support.interpreted tests/sampler/test_triton_agreement.py

Triton looks at the environment once, when it is first imported; so this is a session of its own.
"""

import os
from typing import Any

import pytest

os.environ["TRITON_INTERPRET"] = "1"


def pytest_configure(config: pytest.Config) -> None:
    # Numbers that are not finite are computed with like all others.
    config.addinivalue_line("filterwarnings", "ignore::RuntimeWarning:triton.runtime.interpreter")
    from triton.runtime import interpreter

    prepared = set()

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        module = self.fn.__module__
        if module.startswith("triton.") and module not in prepared:
            interpreter._patch_lang(self.fn)
            prepared.add(module)
        return self.rewrite()(*args, **kwargs)

    # Triton prepares its language anew whenever one function calls another: half of all the time. Ours use
    # what has been prepared for the kernel; for its own it does not undo it.
    interpreter.InterpretedFunction.__call__ = call
