"""What Triton's interpreter needs in order to compute as compiled kernels do: for tests without a GPU."""

import dataclasses
from typing import Any

import numpy as np
from triton.language import bfloat16, float32
from triton.runtime import interpreter


def mend() -> None:
    """Corrects three things of Triton 3.6, by private names: a test says when they are gone.

    Every number is an array of one element, of which NumPy 2.4 no longer makes the end of a loop; what
    becomes bfloat16 is cut off, where the hardware rounds; and every product of whole numbers is made twice,
    to look for an overflow.
    """
    patch, convert = interpreter._patch_lang_tensor, interpreter._convert_float

    def patched(tensor: Any, scope: Any) -> None:
        patch(tensor, scope)
        scope.set_attr(tensor, "__index__", lambda self: self.handle.data.item())

    def converted(value: Any, from_type: Any, to_type: Any, rounding: Any) -> Any:
        if from_type == float32 and to_type == bfloat16:
            return _rounded(value)
        return convert(value, from_type, to_type, rounding)

    interpreter._patch_lang_tensor, interpreter._convert_float = patched, converted
    builder = interpreter.interpreter_builder
    builder.options = dataclasses.replace(builder.options, sanitize_overflow=False)


def _rounded(value: Any) -> Any:
    """float32 as the bits of bfloat16, halves to even."""
    bits = np.asarray(value).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(value), 0x7FC0, rounded).astype(np.uint16)
