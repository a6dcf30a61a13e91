"""Which backends a test runs on."""

import os
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # the library is first imported by the tests: the typed session prepares for that moment
    from torchstn.sampler import Backend

REQUIRED = {
    name for name in ("native", "triton") if os.environ.get(f"TORCHSTN_REQUIRE_{name.upper()}") == "1"
}
"""The backends without which a test of theirs fails, where it is skipped otherwise."""

INTERPRETING = os.environ.get("TRITON_INTERPRET") == "1"
"""Whether Triton's kernels run on the CPU in this session; see `support.interpreted`."""


def backend(name: str) -> "Backend":
    """The backend of that name; the test is skipped where it is not in this installation."""
    from torchstn.sampler import BACKENDS

    one = next(one for one in BACKENDS if one.name == name)
    if one.missing is not None:
        (pytest.fail if name in REQUIRED else pytest.skip)(
            f"There is no {name!r} backend here: {one.missing}."
        )
    return one


@pytest.fixture(scope="module", params=["reference", "native"])
def each_backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs the tests of a module once on every backend; what it refuses falls to the reference, as always."""
    one, reference = backend(request.param), backend("reference")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torchstn.sampler.dispatch.BACKENDS", [one, reference])
        yield one.name


@pytest.fixture(scope="session")
def compiled() -> ModuleType:
    """The compiled extension."""
    backend("native")
    from torchstn.sampler.native.extension import loaded

    return loaded()


@pytest.fixture(scope="session")
def triton_device() -> str:
    """The type of the devices that Triton's kernels run on here."""
    backend("triton")
    return "cpu" if INTERPRETING else "cuda"


@pytest.fixture(scope="module", params=["best", "baseline"])
def instruction_set(request: pytest.FixtureRequest, compiled: ModuleType) -> Iterator[str]:
    """Runs the tests of a module on this machine's fastest instructions, and on those of every machine."""
    best, *others = compiled.instruction_sets()
    if request.param != "best" and not others:
        pytest.skip("This build holds one instruction set for this machine.")
    before = compiled.instruction_set()
    compiled.use_instruction_set(best if request.param == "best" else others[-1])
    yield compiled.instruction_set()
    compiled.use_instruction_set(before)
