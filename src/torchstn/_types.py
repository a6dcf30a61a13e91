"""Names for the shapes and choices that the whole library speaks of.

With jaxtyping installed (a development dependency) the tensor names carry shapes that the
type-checked test session enforces; without it they are plain tensors.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from torch import Tensor

Padding: TypeAlias = Literal["zeros", "border", "reflection", "circular", "fill"]
KernelName: TypeAlias = Literal["nearest", "linear", "cubic", "bspline3", "lanczos3", "bilinear", "bicubic"]
Size: TypeAlias = Sequence[int]
"""Numbers of pixels in array order: (w,), (h, w) or (d, h, w)."""

PADDINGS: tuple[Padding, ...] = ("zeros", "border", "reflection", "circular", "fill")

if TYPE_CHECKING:
    Image: TypeAlias = Tensor
    Output: TypeAlias = Tensor
    Maps: TypeAlias = Tensor
    Theta: TypeAlias = Tensor
    Matrix: TypeAlias = Tensor
    Offsets: TypeAlias = Tensor
    Points: TypeAlias = Tensor
    PointList: TypeAlias = Tensor
else:
    try:
        from jaxtyping import Float, Shaped
    except ImportError:
        Image = Output = Maps = Theta = Matrix = Offsets = Points = PointList = Tensor
    else:
        # "#n" also takes a batch of one, which is read by, or reads, all of the other's.
        Image = Shaped[Tensor, "#n c *size"]
        Output = Shaped[Tensor, "#n c *out"]
        Maps = Shaped[Tensor, "#n _ ..."]
        Theta = Float[Tensor, "n p"]
        Matrix = Float[Tensor, "#n r r1"]
        Offsets = Float[Tensor, "#n k d"]
        Points = Float[Tensor, "#n *size d"]
        PointList = Float[Tensor, "#n m d"]
