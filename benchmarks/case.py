"""Case: one problem that torchstn and its peers solve side by side."""

from dataclasses import dataclass, replace
from typing import Literal

import torch

Family = Literal["affine", "projective", "thin-plate", "free-form", "points", "displacement"]
Kernel = Literal["nearest", "linear", "cubic"]
Padding = Literal["zeros", "border"]
Pass = Literal["forward", "both"]
PASSES: tuple[Pass, ...] = ("forward", "both")
PASS_TITLES = {"forward": "forward", "both": "forward + backward"}
OURS = "torchstn"


@dataclass(frozen=True)
class Target:
    """What is to be reached on one thread, as the peer's median time over ours.

    Attributes:
        peer: Against whom.
        forward: The ratio wanted without gradients.
        both: The ratio wanted with the gradients of image and parameters, None where the peer has none.
    """

    peer: str
    forward: float
    both: float | None


@dataclass(frozen=True)
class Case:
    """One problem, at one size, type and layout.

    Attributes:
        name: As given to `--only`.
        family: What the parameters are.
        shape: Of the image, (n, c, *size); the output is as large.
        target: What is to be reached, or None where the case is there to be looked at.
        peers: Who takes part beside torchstn, by name.
        kernel: "nearest", "linear" or "cubic".
        padding: As torchstn and torch name it.
        channels_last: Whether the image's memory holds the channels of a pixel side by side.
        dtype: Of the image; parameters are float32.
        points: Control points along an axis of a thin plate or free form.
        align_corners: The convention.
        label: For people, where the other words do not say it.
        scales: Whether all cores must bring 1.7 times the speed of one.
    """

    name: str
    family: Family
    shape: tuple[int, ...]
    target: Target | None
    peers: tuple[str, ...]
    kernel: Kernel = "linear"
    padding: Padding = "zeros"
    channels_last: bool = False
    dtype: torch.dtype = torch.float32
    points: int = 4
    align_corners: bool = False
    label: str = ""
    scales: bool = False

    @property
    def dims(self) -> int:
        """Number of spatial dimensions."""
        return len(self.shape) - 2

    @property
    def size(self) -> tuple[int, ...]:
        """Of input and output, in array order."""
        return self.shape[2:]

    @property
    def is_matrix(self) -> bool:
        """Whether the grid is a matrix, so that nothing of the output's size but the output is needed."""
        return self.family in ("affine", "projective")

    @property
    def title(self) -> str:
        """For people."""
        if self.label:
            return self.label
        words = [self.family.replace("-", " ")]
        if self.family in ("thin-plate", "free-form"):
            words.append(f"({self.points**self.dims} points)")
        if self.kernel != "linear":
            words.append(self.kernel)
        if self.padding != "zeros":
            words.append(self.padding)
        if self.dims == 3:
            words.append("3-D")
        words.append("x".join(map(str, self.shape)))
        if self.dtype != torch.float32:
            words.append(str(self.dtype).removeprefix("torch."))
        if self.channels_last:
            words.append("channels_last")
        return " ".join(words)

    def wanted(self, which: Pass) -> float | None:
        """The ratio to reach, or None."""
        if self.target is None:
            return None
        return self.target.forward if which == "forward" else self.target.both

    def shrunk(self) -> "Case":
        """The same case so small that it only shows whether everything works."""
        n, c, *size = self.shape
        longest = 24 if self.dims == 2 else 10
        shape = (min(n, 2), min(c, 4), *(min(length, longest) for length in size))
        # A record goes by the title, and the tiniest case shrinks to its own size.
        return replace(self, shape=shape, label=f"{self.title}, shrunk")
