"""In which type a network's products are computed."""

import torch

AUTO = "auto"
PRECISIONS = (AUTO, "float32", "bfloat16")
_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")
"""Of x86 and of ARM, as `torch.cpu.get_capabilities` names them."""


def product_type(precision: str, device: torch.device) -> torch.dtype:
    """The type of the products of convolutions and fully connected layers.

    Args:
        precision: One of `PRECISIONS`; "auto" is bfloat16 where that is the quicker one.
        device: Where they are computed.
    """
    if precision == AUTO:
        return torch.bfloat16 if multiplies_bfloat16(device) else torch.float32
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a processor has instructions for it; without them it takes several times as long as float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(known.get(name) for name in _INSTRUCTIONS)


def multiplies_matrices() -> bool:
    """Whether the CPU multiplies whole matrices of bfloat16 at once (AMX): several times float32's speed."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))
