"""The limit: how fast this machine copies, and how much a case has to move."""

from math import prod
from statistics import median
from time import perf_counter

import torch

from .case import Case, Pass


def copy_bandwidth(megabytes: int = 256, times: int = 7) -> float:
    """Bytes read plus bytes written a second by `copy_` between tensors far larger than any cache."""
    source = torch.zeros(megabytes * 2**18)  # float32
    target = torch.empty_like(source)
    target.copy_(source)
    seconds = []
    for _ in range(times):
        start = perf_counter()
        target.copy_(source)
        seconds.append(perf_counter() - start)
    return 2 * source.nbytes / median(seconds)


def bytes_moved(case: Case, which: Pass) -> int:
    """What cannot be avoided: each input read once, each output written once.

    Forward reads the image and the points and writes the output. Backward reads the image, the points and the
    gradient of the output, and writes the gradients of image and points. Matrices and offsets are nothing.
    """
    image = prod(case.shape) * case.dtype.itemsize
    dense = case.family in ("points", "displacement")
    points = case.shape[0] * prod(case.size) * case.dims * 4 if dense else 0
    forward = 2 * image + points
    return forward if which == "forward" else forward + 3 * image + 2 * points
