"""bfloat16 where a processor multiplies it, and nowhere else unless asked for."""

import pytest
import torch

from torchstn.recipes.distorted_mnist import make_config
from torchstn.recipes.precision import product_type
from torchstn.recipes.record import changed_settings, settings

CPU = torch.device("cpu")


@pytest.mark.parametrize("instruction", ["avx512_bf16", "amx_bf16", "bf16"])
def test_auto_is_bfloat16_where_there_is_an_instruction(
    monkeypatch: pytest.MonkeyPatch, instruction: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, instruction: True})
    assert product_type("auto", CPU) == torch.bfloat16
    assert product_type("float32", CPU) == torch.float32


def test_auto_is_float32_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False, "avx2": True})
    assert product_type("auto", CPU) == torch.float32
    assert product_type("bfloat16", CPU) == torch.bfloat16


def test_this_processor_is_known() -> None:
    """torch would have to have renamed what is looked up: a processor with either has AVX-512 or NEON."""
    known = torch.cpu.get_capabilities()
    assert {"avx512_bf16", "amx_bf16"} <= set(known) or "bf16" in known


def test_what_the_processor_chooses_is_no_other_setting() -> None:
    auto = make_config("R", "cnn", preset="quick")
    assert auto.precision == "auto"
    for precision in ("bfloat16", "float32"):
        record = {"settings": settings(auto) | {"precision": precision}}
        assert changed_settings(record, auto) == []
    other = {"settings": settings(auto) | {"weight_decay": 1.0}}
    assert len(changed_settings(other, auto)) == 1
