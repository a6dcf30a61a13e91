"""What tests of the compiled kernels' derivatives share: their marks, and a count of the kernels' calls."""

from typing import Any

import pytest

DERIVED = [
    pytest.mark.usefixtures("compiled"),
    # torch loads its own scripted formulas the first time a forward derivative is taken.
    pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning"),
]


class Calls:
    """Counts the calls into the compiled extension."""

    def __init__(self, module: Any) -> None:
        self.module, self.forwards, self.backwards = module, 0, 0

    def forward(self, *args: Any) -> None:
        self.forwards += 1
        self.module.forward(*args)

    def backward(self, *args: Any) -> None:
        self.backwards += 1
        self.module.backward(*args)

    @property
    def both(self) -> tuple[int, int]:
        return self.forwards, self.backwards


@pytest.fixture
def calls(compiled: Any, monkeypatch: pytest.MonkeyPatch) -> Calls:
    from torchstn.sampler.native import extension  # not before: see support.backends

    calls = Calls(compiled)
    monkeypatch.setattr(extension._extension, "loaded", calls)
    return calls
