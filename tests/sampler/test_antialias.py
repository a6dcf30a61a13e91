"""Reducing without aliasing: the pyramid against torch's resize and scikit-image, what stays the same."""

import pytest
import torch
import torch.nn.functional as F
from skimage.transform import resize
from torch import Tensor

import torchstn as stn
from torchstn import transform
from torchstn.sampler.pyramid import halve


def reduced(image: Tensor, factor: float, antialias: int, **options: object) -> Tensor:
    """The whole of a square image at `factor` times fewer pixels along each axis."""
    dims = image.ndim - 2
    affine = transform.Affine(dims=dims)
    size = tuple(round(length / factor) for length in image.shape[2:])
    grid = affine(affine.identity()[None].to(torch.float64), size)
    return stn.sample(image, grid, antialias=antialias, **options)  # type: ignore[call-overload]


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (33, 12), (2, 3), (5, 64), (1, 6)])
def test_halving_is_torchs_resize(size: tuple[int, int]) -> None:
    image = torch.randn(2, 3, *size, dtype=torch.float64)
    half = halve(image, align_corners=False)
    expected = F.interpolate(image, half.shape[2:], mode="bilinear", antialias=True)
    assert half.shape[2:] == tuple((length + 1) // 2 for length in size)
    torch.testing.assert_close(half, expected)


def test_halving_a_volume_is_torchs_resize_axis_by_axis() -> None:
    volume = torch.randn(2, 3, 7, 10, 5, dtype=torch.float64)
    flat = F.interpolate(volume.flatten(1, 2), (5, 3), mode="bilinear", antialias=True)
    flat = flat.unflatten(1, (3, 7)).flatten(3)
    expected = F.interpolate(flat, (4, 15), mode="bilinear", antialias=True).unflatten(3, (5, 3))
    torch.testing.assert_close(halve(volume, align_corners=False), expected)


@pytest.mark.parametrize("length", [2, 3, 8, 9, 30])
def test_halving_with_corner_centres_keeps_a_line_between_its_ends(length: int) -> None:
    line = torch.linspace(-1, 1, length, dtype=torch.float64).expand(1, 1, -1)
    half = halve(line, align_corners=True)[0, 0]
    expected = torch.linspace(-1, 1, len(half) + (len(half) == 1), dtype=torch.float64)[: len(half)]
    # A triangle read at whole pixels has its centre a little off, as that of torch's resize has.
    bound = 2 / length * 0.05
    assert ((half - expected)[1:-1].abs() < bound).all()
    torch.testing.assert_close(half, -half.flip(0))


@pytest.mark.parametrize("antialias", [1, 2, 3])
def test_half_the_size_is_torchs_resize(antialias: int) -> None:
    image = torch.randn(2, 3, 24, 32, dtype=torch.float64)
    expected = F.interpolate(image, (12, 16), mode="bilinear", antialias=True)
    torch.testing.assert_close(reduced(image, 2, antialias), expected)


@pytest.mark.parametrize("factor", [2.5, 3.3, 4.0, 6.0])
def test_a_fine_pattern_goes_grey_as_in_scikit_image(factor: float) -> None:
    """Stripes finer than the output can hold have hardly any contrast left in a clean reduction."""
    stripes = torch.sin(torch.arange(120, dtype=torch.float64) * 2.6).expand(1, 1, 120, -1)
    size = (round(120 / factor),) * 2
    clean = torch.from_numpy(resize(stripes[0, 0].numpy(), size, anti_aliasing=True))
    ours = reduced(stripes, factor, 3)[0, 0]
    inner = (slice(2, -2), slice(2, -2))
    false = reduced(stripes, factor, 0)[0, 0][inner].std()
    assert (ours - clean)[inner].abs().max() < 0.12
    assert ours[inner].std() < 0.1 * false


@pytest.mark.parametrize("kernel", ["linear", "cubic", "bspline3", "lanczos3"])
@pytest.mark.parametrize("align_corners", [False, True])
def test_nothing_changes_where_nothing_is_reduced(kernel: str, align_corners: bool) -> None:
    image = torch.randn(2, 3, 20, 20, dtype=torch.float64)
    theta = torch.tensor([[0.7, 0.2, 0.1, -0.1, 0.6, 0.3]], dtype=torch.float64).expand(2, -1)
    grid = transform.Affine()(theta, (25, 25), align_corners=align_corners)
    plain = stn.sample(image, grid, kernel=kernel)  # type: ignore[call-overload]
    torch.testing.assert_close(stn.sample(image, grid, kernel=kernel, antialias=3), plain)  # type: ignore[call-overload]


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("align_corners", [False, True])
def test_a_matrix_and_its_points_are_read_alike(dims: int, align_corners: bool) -> None:
    image = torch.randn(2, 3, *(21, 18, 25)[:dims], dtype=torch.float64)
    affine = transform.Affine(dims=dims)
    theta = affine.identity().to(torch.float64) + 0.1 * torch.randn(2, affine.n_parameters).double()
    grid = affine(theta, (7, 9, 8)[:dims], align_corners=align_corners)
    fused = stn.sample(image, grid, antialias=3)
    dense = stn.sample(image, grid.points(), antialias=3, align_corners=align_corners)
    torch.testing.assert_close(fused, dense)


def test_each_place_has_its_own_level() -> None:
    """A field whose left half reads pixel by pixel and whose right half every fourth one."""
    x = torch.cat([torch.arange(16.0), 16 + 4 * torch.arange(16.0)]).double()
    points = torch.stack(torch.meshgrid(torch.arange(8.0).double(), x, indexing="ij")[::-1], -1)
    image = torch.randn(1, 2, 8, 80, dtype=torch.float64)
    grid = ((2 * points + 1) / torch.tensor([80, 8]).double() - 1)[None]
    output = stn.sample(image, grid, antialias=3)
    torch.testing.assert_close(output[..., :15], stn.sample(image, grid)[..., :15])
    quarter = halve(halve(image, False), False)
    torch.testing.assert_close(output[..., 18:], stn.sample(quarter, grid)[..., 18:])


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection", "circular", "fill"])
def test_a_constant_image_stays_constant_with_every_padding(padding: str) -> None:
    value = 0.0 if padding == "zeros" else 0.75
    image = torch.full((1, 2, 30, 30), value, dtype=torch.float64)
    fill = {"fill": 0.75} if padding == "fill" else {}
    theta = torch.tensor([[1.9, 0.3, 0.2, -0.4, 2.3, 0.1]], dtype=torch.float64)
    grid = transform.Affine()(theta, (11, 12))
    output = stn.sample(image, grid, padding=padding, antialias=2, **fill)  # type: ignore[call-overload]
    torch.testing.assert_close(output, torch.full_like(output, value))


@pytest.mark.parametrize("family", [transform.Affine(), transform.Projective(), transform.ThinPlate(3)])
def test_gradients_are_those_of_finite_differences(family: transform.Transform) -> None:
    image = torch.randn(1, 1, 12, 12, dtype=torch.float64, requires_grad=True)
    theta = 1.1 * family.identity().to(torch.float64) + 0.05 * torch.randn(family.n_parameters).double()

    def warp(image: Tensor, theta: Tensor) -> Tensor:
        return stn.sample(image, family(theta, (5, 4)), antialias=2)

    assert torch.autograd.gradcheck(warp, (image, theta[None].requires_grad_()))


@pytest.mark.parametrize(("size", "antialias"), [(16, 1), (8, 1), (8, 2), (8, 3), (4, 2), (4, 3)])
def test_at_a_whole_level_the_derivative_is_one_sided(size: int, antialias: int) -> None:
    """Training starts there: the identity, with all, half or a quarter of the input's pixels."""
    image = torch.randn(1, 1, 16, 16, dtype=torch.float64)

    def warp(scale: Tensor) -> Tensor:
        theta = torch.cat([scale, torch.zeros(2, dtype=torch.float64)])[None]
        grid = transform.Attention()(theta, (size, size))
        return stn.sample(image, grid, kernel="cubic", antialias=antialias).sum()  # without kinks of its own

    scale = torch.ones(1, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(warp(scale), scale)
    last = size * 2**antialias == 16
    step = -1e-6 if last else 1e-6
    sides = [(warp(scale + step) - warp(scale)) / step for step in (step, -step)]
    torch.testing.assert_close(slope[0], sides[0], rtol=1e-3, atol=1e-3)
    assert (sides[0] - sides[1]).abs() > 0.01


def test_a_point_that_is_nowhere_leaves_its_neighbours_alone() -> None:
    image, field = torch.randn(1, 1, 32, 32), torch.zeros(1, 32, 32, 2)
    field[0, 20, 20] = float("nan")
    field[0, :3, 5] = float("inf")
    field[0, 31, 31] = float("nan")
    field.requires_grad_()
    output = stn.sample(image, stn.grid.PointGrid(field), antialias=3)
    assert torch.equal(output, torch.where(field[..., 0].isfinite(), image, 0.0))
    (gradient,) = torch.autograd.grad(output.square().sum(), field)
    assert gradient.isfinite().all()


def test_theta_hears_of_what_lies_between_its_points() -> None:
    """A bright dot that no point of a coarse grid reads moves the crop only if the image is reduced."""
    image = torch.zeros(1, 1, 64, 64, dtype=torch.float64)
    image[..., 41, 35] = 1.0
    slopes = []
    for antialias in (0, 3):
        theta = torch.tensor([[1.0, 0, 0, 0, 1, 0]], dtype=torch.float64, requires_grad=True)
        stn.sample(image, transform.Affine()(theta, (8, 8)), antialias=antialias).square().sum().backward()
        assert theta.grad is not None
        slopes.append(theta.grad.abs().max())
    assert slopes[0] == 0
    assert slopes[1] > 1e-4


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.complex64, torch.uint8]
)
def test_types_and_layouts_are_the_images(dtype: torch.dtype) -> None:
    image = (255 * torch.rand(2, 3, 24, 24)).to(dtype).contiguous(memory_format=torch.channels_last)
    output = reduced(image, 3, 2)
    assert output.dtype == dtype
    assert output.is_contiguous(memory_format=torch.channels_last)
    wide = torch.complex128 if dtype.is_complex else torch.float64
    expected = reduced(image.to(wide), 3, 2)
    error = (output.to(wide) - expected).abs().max()
    assert error <= {torch.bfloat16: 3.0, torch.float16: 0.4, torch.uint8: 0.5001}.get(dtype, 1e-3)


def test_one_image_with_many_grids_and_one_grid_with_many_images() -> None:
    images = torch.randn(3, 2, 24, 24, dtype=torch.float64)
    thetas = torch.eye(2, 3, dtype=torch.float64).flatten() * torch.tensor([[0.5], [1.0], [1.4]])
    many = transform.Affine()(thetas, (9, 9))
    each = [stn.sample(images[:1], many[i], antialias=2) for i in range(3)]
    torch.testing.assert_close(stn.sample(images[:1], many, antialias=2), torch.cat(each))
    each = [stn.sample(images[i : i + 1], many[2], antialias=2) for i in range(3)]
    torch.testing.assert_close(stn.sample(images, many[2], antialias=2), torch.cat(each))


def test_a_point_that_is_nowhere_reads_the_fill_and_has_no_gradient() -> None:
    image = torch.randn(2, 1, 16, 16, requires_grad=True)
    theta = torch.tensor([[2.0, 0, 0, 0, 2, 0], [float("nan")] * 6], requires_grad=True)
    output = stn.sample(image, transform.Affine()(theta, (6, 6)), padding="fill", fill=0.5, antialias=2)
    output.sum().backward()
    assert (output[1] == 0.5).all()
    assert output.isfinite().all()
    assert theta.grad is not None
    assert image.grad is not None
    assert image.grad.isfinite().all()
    assert (theta.grad[1] == 0).all()
    points = torch.full((1, 4, 4, 2), float("inf"), requires_grad=True)
    stn.sample(image[:1], points, antialias=2).sum().backward()
    assert points.grad is not None
    assert (points.grad == 0).all()


def test_a_pixel_that_is_no_number_spoils_no_more_than_without() -> None:
    image = torch.randn(1, 1, 20, 20, dtype=torch.float64)
    image[..., 10, 10] = float("nan")
    grid = transform.Affine()(torch.tensor([[0.8, 0, 0, 0, 0.8, 0]], dtype=torch.float64), (20, 20))
    output = stn.sample(image, grid, antialias=2)
    torch.testing.assert_close(output, stn.sample(image, grid), equal_nan=True)


def test_one_point_has_no_neighbours() -> None:
    image = torch.randn(1, 1, 8, 8)
    grid = transform.Affine()(torch.eye(2, 3).flatten()[None], (1, 1))
    torch.testing.assert_close(stn.sample(image, grid, antialias=3), stn.sample(image, grid))
    torch.testing.assert_close(stn.sample(image, grid.points(), antialias=3), stn.sample(image, grid))


def test_compiles_as_a_whole() -> None:
    def warp(image: Tensor, theta: Tensor) -> Tensor:
        return stn.sample(image, transform.Affine()(theta, (6, 6)), antialias=2)

    image, theta = torch.randn(2, 3, 20, 20), torch.eye(2, 3).flatten().expand(2, -1)
    torch.testing.assert_close(torch.compile(warp, fullgraph=True)(image, theta), warp(image, theta))


@pytest.mark.parametrize("antialias", [-1, 17, 1.5, True, None])
def test_refuses_what_is_no_number_of_halvings(antialias: object) -> None:
    image, points = torch.zeros(1, 1, 4, 4), torch.zeros(1, 2, 2, 2)
    with pytest.raises(ValueError, match="`antialias` must be a whole number from 0 to 16"):
        stn.sample(image, points, antialias=antialias)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="`antialias` must be a whole number"):
        stn.Sampler(antialias=antialias)  # type: ignore[arg-type]


def test_refuses_nearest() -> None:
    with pytest.raises(ValueError, match="needs a kernel that mixes pixels"):
        stn.Sampler("nearest", antialias=1)


def test_the_module_says_and_does_it() -> None:
    sampler = stn.Sampler(antialias=2)
    assert "antialias=2" in repr(sampler)
    assert "antialias" not in repr(stn.Sampler())
    image = torch.randn(1, 1, 24, 24)
    grid = transform.Affine()(torch.eye(2, 3).flatten()[None], (8, 8))
    assert torch.equal(sampler(image, grid), stn.sample(image, grid, antialias=2))


def test_every_mode_of_differentiation() -> None:
    image = torch.randn(1, 1, 12, 12, dtype=torch.float64)
    theta = torch.tensor([1.3, 0.2, 0.1, -0.1, 1.1, 0.2], dtype=torch.float64)

    def energy(theta: Tensor, antialias: int = 2) -> Tensor:
        grid = transform.Affine()(theta[None], (5, 4))
        return stn.sample(image, grid, kernel="cubic", antialias=antialias).square().sum()

    gradient = torch.func.grad(energy)(theta)
    torch.testing.assert_close(torch.func.jacfwd(energy)(theta), gradient)
    thetas = theta + 0.1 * torch.randn(3, 6).double()
    each = torch.stack([torch.func.grad(energy)(one) for one in thetas])
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(energy))(thetas), each)
    assert torch.autograd.gradgradcheck(energy, theta.requires_grad_())
