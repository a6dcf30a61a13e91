"""channels_last in, channels_last out: the one layout of everything that is shaped like an image."""

import torch
from torch import Tensor

_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


def layout_of(image: Tensor) -> torch.memory_format:
    """channels_last if the image is and is not contiguous as well, else contiguous."""
    if not image.is_contiguous():
        layout = _CHANNELS_LAST.get(image.ndim)
        if layout is not None and image.is_contiguous(memory_format=layout):
            return layout
    return torch.contiguous_format
