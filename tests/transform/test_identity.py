"""The law: the identity of every family gives back the image, to the bit."""

import pytest
import torch
from support.families import EVERY_CONVENTION, EVERY_FAMILY, FAMILIES, Family

from torchstn import sample, transform
from torchstn.sampler.kernels import KERNELS
from torchstn.transform import Transform

pytestmark = pytest.mark.usefixtures("each_backend")

SIZES = {
    1: [(1,), (2,), (7,), (299,), (1023,)],
    2: [(1, 1), (1, 5), (6, 1), (5, 7), (28, 28), (23, 299)],
    3: [(1, 1, 1), (1, 3, 1), (4, 3, 5), (7, 6, 11)],
}
PADDINGS = ["zeros", "border", "reflection", "circular"]
EVERY_SIZE = [
    pytest.param(family, size, id=f"{family.id}-{'x'.join(map(str, size))}")
    for family in FAMILIES
    for size in SIZES[family.dims]
]


def start(family: Transform, batch: int, dtype: torch.dtype) -> torch.Tensor:
    """Theta as an untrained network gives it."""
    return family.constrain(torch.zeros(batch, family.n_parameters, dtype=dtype))


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize(("family", "size"), EVERY_SIZE)
def test_gives_back_the_image(family: Family, size: tuple[int, ...], align_corners: bool) -> None:
    image = torch.randn(1, 2, *size)
    instance = family.make()
    grid = instance(start(instance, 1, torch.float32), size, align_corners=align_corners)
    for kernel in KERNELS:
        output = sample(image, grid, kernel=kernel)
        if kernel == "bspline3":  # worst seen 4e-7 of the range
            assert (output - image).abs().max() <= 1e-6 * (image.max() - image.min()).clamp(min=1)
        else:
            assert torch.equal(output, image), kernel


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_gives_back_the_image_in_every_type(family: Family, align_corners: bool, dtype: torch.dtype) -> None:
    size = (5, 6, 7)[-family.dims :]
    image = torch.randn(2, 1, *size).to(dtype)
    instance = family.make()
    grid = instance(start(instance, 2, dtype), size, align_corners=align_corners)
    for kernel in ("nearest", "linear", "cubic", "lanczos3"):
        for padding in PADDINGS:
            output = sample(image, grid, kernel=kernel, padding=padding)  # type: ignore[call-overload]
            assert torch.equal(output, image), (kernel, padding)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool], ids=str)
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_gives_back_labels(family: Family, dtype: torch.dtype) -> None:
    size = (3, 5, 4)[-family.dims :]
    image = torch.randint(0, 2 if dtype == torch.bool else 200, (1, 3, *size)).to(dtype)
    instance = family.make()
    output = sample(image, instance(start(instance, 1, torch.float32), size), kernel="nearest")
    assert torch.equal(output, image)


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("shape", ["rectangle", "other input size and spacing"])
def test_of_a_large_image(align_corners: bool, shape: str) -> None:
    """What turns in physical space divides by lengths and multiplies by them: that must cancel exactly."""
    size = (1023, 299)
    image = torch.randn(1, 1, *size)
    options = {} if shape == "rectangle" else {"input_size": (77, 1301), "spacing": (0.3, 1.7)}
    for family in (transform.Rigid(), transform.Similarity(), transform.Projective(), transform.ThinPlate()):
        grid = family(start(family, 1, torch.float32), size, align_corners=align_corners, **options)
        for kernel in ("nearest", "linear"):
            assert torch.equal(sample(image, grid, kernel=kernel), image), family


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_of_a_composition_and_of_an_inverse(family: Family) -> None:
    size = (5, 6, 7)[-family.dims :]
    image = torch.randn(1, 1, *size)
    instance = family.make()
    grid = instance(start(instance, 1, torch.float32), size)
    assert torch.equal(sample(image, grid @ grid), image)
    assert torch.equal(sample(image, grid.inverse()), image)
