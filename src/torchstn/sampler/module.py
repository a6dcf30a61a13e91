"""Sampler: `sample` with its settings, as a module."""

from torch import Tensor, nn

from .._checks import check_choice
from .._types import PADDINGS, Image, KernelName, Output, Padding
from ..grid.base import Grid
from .dispatch import backend_names
from .functional import Fill, check_fill, sample
from .kernels import Kernel, resolve_kernel
from .pyramid import check_antialias


class Sampler(nn.Module):
    """image, grid -> output, with fixed settings; see `torchstn.sample` for their meaning.

    Args:
        kernel: Name of a kernel, or a Kernel.
        padding: What lies outside the image.
        fill: The value outside with padding "fill": a number, or one per channel. For images normalised by
            mean and standard deviation, the normalised background: (0 - mean) / std.
        antialias: How often the image may be halved where the output's points lie further apart than its
            pixels.
        backend: "auto", or the name of one backend.

    Raises:
        ValueError: If a name is unknown.
    """

    def __init__(
        self,
        kernel: KernelName | Kernel = "linear",
        *,
        padding: Padding = "zeros",
        fill: Fill = 0.0,
        antialias: int = 0,
        backend: str = "auto",
    ) -> None:
        super().__init__()
        check_antialias(antialias, resolve_kernel(kernel))
        check_choice("padding", padding, PADDINGS)
        check_choice("backend", backend, backend_names())
        check_fill(fill, padding)
        self.kernel = kernel
        self.padding: Padding = padding
        self.fill = fill
        self.antialias = antialias
        self.backend = backend

    def forward(self, image: Image, grid: Grid | Tensor) -> Output:
        fill = self.fill
        if isinstance(fill, Tensor):
            fill = fill.to(image.device)
        return sample(
            image,
            grid,
            kernel=self.kernel,
            padding=self.padding,
            fill=fill,
            antialias=self.antialias,
            backend=self.backend,
        )

    def extra_repr(self) -> str:
        fill = f", fill={self.fill}" if self.padding == "fill" else ""
        antialias = f", antialias={self.antialias}" if self.antialias else ""
        return f"{self.kernel!r}, padding={self.padding!r}{fill}{antialias}, backend={self.backend!r}"
