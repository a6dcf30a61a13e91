"""A quick test of the law everything rests on: the identity gives the image back, bit for bit."""

from itertools import product

import torch
from torch import Tensor

from ..grid import Grid
from ..sampler import BACKENDS, Backend, Request, sample
from ..sampler.kernels import resolve_kernel
from ..transform import Affine, Attention, Projective, Rigid, Similarity, ThinPlate, Translation

FAMILIES = (Translation, Attention, Rigid, Similarity, Affine, Projective, ThinPlate)


def broken_laws(size: tuple[int, int] = (29, 42)) -> list[str]:
    """The families, by backend and convention, whose identity changes an image; none on a sound machine.

    Args:
        size: (h, w) of the image tried.
    """
    image = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    backends = [backend for backend in BACKENDS if not backend.missing]
    broken = []
    for family, align_corners, backend in product(FAMILIES, (False, True), backends):
        transform = family()
        grid = transform(transform.identity().expand(2, -1), size, align_corners=align_corners)
        if not _gives_back(image, grid, backend):
            broken.append(f"{family.__name__}, align_corners={align_corners}, {backend.name}")
    return broken


def _gives_back(image: Tensor, grid: Grid, backend: Backend) -> bool:
    """Whether a backend returns the image, on the CPU or, where it refuses that, on the GPU."""
    request = Request(image, grid, resolve_kernel("linear"), "zeros", 0.0)
    if backend.refusal(request) is not None:
        image, grid = image.cuda(), grid.to("cuda")
    return torch.equal(sample(image, grid, backend=backend.name), image)
