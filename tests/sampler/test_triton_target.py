"""The GPU kernels, compiled for a GPU that is not there: an interpreter takes what a compiler refuses."""

import re
from typing import Any

import pytest
import torch
from support.agreement import Case, make_grid, make_image, make_parameters
from support.backends import INTERPRETING
from support.ptx import Compiled, compiled_kernels

from torchstn.sampler.fused.contract import KERNELS, Settings
from torchstn.sampler.fused.description import describe
from torchstn.sampler.request import Request

pytest.importorskip("triton", reason="Triton is not installed; it is for Linux only.")
pytestmark = pytest.mark.skipif(
    INTERPRETING, reason="Triton interprets in this session, and compiles nothing."
)

IMAGES = {"1-D": (2, 3, 4096), "2-D": (2, 3, 96, 128), "3-D": (2, 2, 32, 48, 64)}
CASES = [
    Case("affine"),
    Case("affine", layout="channels_last", dtype=torch.bfloat16),
    Case("affine", kernel="cubic", padding="border"),
    Case("affine", dtype=torch.uint8, padding="fill"),
    Case("affine", kernel="nearest", dtype=torch.float16),
    Case("projective", padding="reflection"),
    Case("thin_plate", padding="circular"),
    Case("free_form", dtype=torch.float64),
    Case("points", wide=True),
    Case("displacement", align_corners=True),
    Case("own", padding="fill"),
]


def _compiled(case: Case, dims: str, **options: Any) -> list[Compiled]:
    shape = IMAGES[dims]
    case = Case(**vars(case) | {"size": shape[2:], "out": shape[2:], "channels": shape[1]} | options)
    image, parameters = make_image(case), make_parameters(case)
    kind, described = describe(Request(image, make_grid(case, parameters), None, "zeros", 0.0))  # type: ignore[arg-type]
    padding = ("zeros", "border", "reflection", "circular", "fill").index(case.padding)
    settings = Settings(kind, case.out, case.align_corners, KERNELS.index(case.kernel), padding, "triton")
    fill = torch.zeros(case.channels, dtype=torch.float64 if image.dtype == torch.float64 else torch.float32)
    with compiled_kernels() as (launch, found):
        output = launch.run(image, described, fill if case.padding == "fill" else None, settings)
        if image.is_floating_point():
            wanted = [True, *[case.kernel != "nearest" and number < 2 for number in range(len(described))]]
            launch.run_backward(
                image, output, described, fill if case.padding == "fill" else None, settings, wanted
            )
    return found


def _name(case: Case) -> str:
    return f"{case.kind}-{case.kernel}-{case.padding}-{str(case.dtype)[6:]}"


@pytest.mark.parametrize("case", CASES, ids=_name)
@pytest.mark.parametrize("dims", IMAGES)
def test_compiles_without_spilling(dims: str, case: Case) -> None:
    if dims == "1-D" and case.layout == "channels_last":
        case = Case(dtype=torch.bfloat16)
    for kernel in _compiled(case, dims):
        # With 32 registers a thread a multiprocessor is full: an assembler may rather spill than take 33.
        assert kernel.spilled == 0 or kernel.registers <= 32, kernel


def test_deterministic_sums_compile_too() -> None:
    torch.use_deterministic_algorithms(True)
    try:
        for dtype in (torch.float32, torch.float64):
            kernels = _compiled(Case("affine", dtype=dtype), "2-D")
            assert [kernel.name for kernel in kernels] == ["sample", "gradients", "settle"]
            assert re.search(r"(red|atom)\.\S*add\.u64", kernels[1].ptx)
            assert not re.search(r"(red|atom)\.\S*add\S*\.f(32|64)", kernels[1].ptx)
    finally:
        torch.use_deterministic_algorithms(False)


def test_coordinates_are_not_fused() -> None:
    """The one fused operation is the sum's own; a fused coordinate would miss whole numbers."""
    (forward,) = _compiled(Case("affine", kernel="nearest"), "2-D")[:1]
    assert len(re.findall(r"fma\.rn\.f32", forward.ptx)) == 1
    assert "div.rn.f32" in forward.ptx
    assert "div.full" not in forward.ptx


def test_channels_that_lie_side_by_side_move_sixteen_bytes_at_a_time() -> None:
    case = Case("affine", layout="channels_last", dtype=torch.bfloat16)
    shape = (2, 64, 32, 32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(IMAGES, "2-D", shape)
        forward, backward = _compiled(case, "2-D")
    assert "ld.global.v4.b32" in forward.ptx
    assert "st.global.v4.b32" in forward.ptx
    assert re.search(r"(red|atom)\.\S*\.v4\.f32", backward.ptx)
