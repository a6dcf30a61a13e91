"""The module end to end: what its localisation says is what its sampler reads, of every family."""

import pytest
import torch
import torch.nn.functional as F
from support.closeness import assert_close
from support.families import EVERY_CONVENTION, EVERY_FAMILY, IN_2D, Family, random_theta
from support.transformers import SIZES, family, torch_sample, transformer
from torch import Tensor, nn

import torchstn as stn

TOLERANCE = 1e-12
"""Share of the range, in float64; worst seen 5e-15, as the oracle's points are normalised and back."""


def images(size: tuple[int, ...], batch: int = 3, channels: int = 1) -> Tensor:
    return torch.rand(batch, channels, *size, dtype=torch.float64)


def theta_by_hand(module: stn.SpatialTransformer, x: Tensor) -> Tensor:
    hidden = module.localisation.layers[1]
    features = F.relu(F.linear(x.flatten(1), hidden.weight, hidden.bias))
    return module.transform.constrain(F.linear(features, module.head.weight, module.head.bias))


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_agrees_with_grid_sample(family: Family, align_corners: bool) -> None:
    size = SIZES[family.dims]
    module = transformer(family.make(), size, align_corners=align_corners).double()
    x = images(size)
    output, grid = module(x, return_grid=True)
    theta = theta_by_hand(module, x)
    points = module.transform(theta, size, input_size=size, align_corners=align_corners).points()
    assert grid.align_corners == align_corners
    assert_close(grid.theta, theta, tolerance=TOLERANCE)
    assert_close(output, torch_sample(x, points, align_corners), tolerance=TOLERANCE)


@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("dims", [2, 3])
def test_affine_agrees_with_torch_from_image_to_output(dims: int, align_corners: bool) -> None:
    size, out = SIZES[dims], (4, 6, 5)[:dims]
    module = transformer("affine", size, size=out, align_corners=align_corners).double()
    x = images(size)
    matrix = theta_by_hand(module, x).view(3, dims, dims + 1)
    points = F.affine_grid(matrix, [3, 1, *out], align_corners=align_corners)
    expected = F.grid_sample(x, points, align_corners=align_corners)
    assert_close(module(x), expected, tolerance=TOLERANCE)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize(("kernel", "mode"), [("nearest",) * 2, ("linear", "bilinear"), ("cubic", "bicubic")])
def test_passes_kernel_and_padding_on(kernel: str, mode: str, padding: str) -> None:
    module = transformer("affine", sampler=stn.Sampler(kernel, padding=padding), stir=0.4).double()
    x = images(SIZES[2])
    output, grid = module(x, return_grid=True)
    assert grid.coverage().min() < 1
    expected = F.grid_sample(x, grid.points(), mode=mode, padding_mode=padding, align_corners=False)
    assert_close(output, expected, tolerance=TOLERANCE)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("kernel", ["nearest", "linear", "cubic", "bspline3", "lanczos3"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection", "circular", "fill"])
def test_every_sampler_in_every_dimension(kernel: str, padding: str, dims: int) -> None:
    fill = [0.25, 0.5] if padding == "fill" else 0.0
    sampler = stn.Sampler(kernel, padding=padding, fill=fill)
    module = transformer("affine", SIZES[dims], channels=2, sampler=sampler, stir=0.3).double()
    x = images(SIZES[dims], channels=2)
    output, grid = module(x, return_grid=True)
    # The raw points take the drop-in path: none of the grid's own arithmetic is shared with it.
    assert_close(
        output, stn.sample(x, grid.points(), kernel=kernel, padding=padding, fill=fill), tolerance=TOLERANCE
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("align_corners", EVERY_CONVENTION)
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_changes_nothing_before_it_is_trained(
    family: Family, align_corners: bool, dtype: torch.dtype
) -> None:
    size = SIZES[family.dims]
    module = transformer(family.make(), size, stir=0.0, align_corners=align_corners).to(dtype)
    x = torch.randn(2, 1, *size, dtype=dtype)
    assert torch.equal(module(x), x)


@pytest.mark.parametrize("one", IN_2D)
def test_starts_at_initial(one: Family) -> None:
    initial = random_theta(one.make(), batch=1, dtype=torch.float32)[0]
    module = transformer(one.make(initial=initial), stir=0.0)
    theta = module.theta(torch.rand(4, 1, 8, 9))
    assert torch.equal(theta, initial.expand(4, -1))


def test_features_say_how_another_image_is_warped() -> None:
    backbone = stn.localisation.Backbone(nn.Conv2d(5, 7, 3), 7)
    module = stn.SpatialTransformer(backbone, stn.transform.Affine()).double()
    nn.init.normal_(module.head.weight, std=0.3)
    features, image = images((4, 5), channels=5), images((11, 12), channels=2)
    output, grid = module(features, image=image, return_grid=True)
    assert output.shape == image.shape
    assert (output - image).abs().max() > 0.1
    expected = F.affine_grid(module.theta(features).view(3, 2, 3), [3, 2, 11, 12], align_corners=False)
    assert_close(output, F.grid_sample(image, expected, align_corners=False), tolerance=TOLERANCE)
    assert torch.equal(grid.theta, module.theta(features))


def test_rigid_turns_in_the_pixels_of_the_image_it_warps() -> None:
    quarter = stn.transform.Rigid(initial=[torch.pi / 2, 0.0, 0.0])
    module = transformer(quarter, (9, 9), stir=0.0, size=(9, 9)).double()
    image = images((9, 5), batch=1)
    # The 9 x 5 image stands upright in the 5 x 9 middle of what a turn of its own pixels reads.
    seen = module(images((9, 9), batch=1), image=image)
    scale = torch.tensor([[[0.0, -9 / 5, 0.0], [5 / 9, 0.0, 0.0]]], dtype=torch.float64)
    points = F.affine_grid(scale, [1, 1, 9, 9], align_corners=False)
    assert_close(
        seen, F.grid_sample(image, points, align_corners=False), tolerance=1e-6
    )  # the angle is a float32


def test_depth_reads_as_the_composed_grid_says() -> None:
    # Two warps of a smooth picture are nearly one warp by the product of their matrices.
    ramp = torch.linspace(0, 1, 33, dtype=torch.float64)
    picture = (ramp[:, None] * 2 + ramp).view(1, 1, 33, 33)
    first, second = (transformer("affine", (33, 33), stir=0.02).double() for _ in range(2))
    once, outer = first(picture, return_grid=True)
    twice, inner = second(once, return_grid=True)
    direct = stn.sample(picture, outer @ inner)
    middle = (..., slice(10, 23), slice(10, 23))
    assert (twice[middle] - picture[middle]).abs().max() > 1e-2
    assert_close(
        twice[middle], direct[middle], tolerance=TOLERANCE
    )  # linear interpolation of a plane is exact


def test_two_transformers_in_a_network() -> None:
    network = nn.Sequential(
        transformer("affine", (8, 9), size=(6, 7)),
        nn.Conv2d(1, 3, 3, padding=1),
        transformer("thin_plate", (6, 7), channels=3, size=(4, 5)),
        nn.Flatten(),
        nn.Linear(60, 2),
    )
    network(torch.rand(3, 1, 8, 9)).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_an_empty_batch_gives_an_empty_output(family: Family) -> None:
    size = SIZES[family.dims]
    module = transformer(family.make(), size)
    output, grid = module(torch.rand(0, 1, *size), return_grid=True)
    assert output.shape == (0, 1, *size)
    assert len(grid) == 0
    output.sum().backward()


def test_reports_itself() -> None:
    module = transformer("rigid", size=(4, 5))
    assert "size=(4, 5), align_corners=False" in repr(module)
    assert "n_parameters=3" in repr(module)
    assert "'linear', padding='zeros'" in repr(module)


def test_refuses_what_it_is_not_built_of() -> None:
    good, affine = stn.localisation.FullyConnected(1, (8, 9)), family("affine")
    with pytest.raises(TypeError, match=r"`localisation`.*out_features.*Conv2d.*Backbone"):
        stn.SpatialTransformer(nn.Conv2d(1, 1, 3), affine)
    with pytest.raises(TypeError, match=r"`transform`.*family.*Linear"):
        stn.SpatialTransformer(good, nn.Linear(1, 1))
    with pytest.raises(TypeError, match=r"`sampler`.*torchstn.Sampler.*str"):
        stn.SpatialTransformer(good, affine, "linear")
    with pytest.raises(ValueError, match=r"`size` must be \(h, w\).*\(3, 4, 5\)"):
        stn.SpatialTransformer(good, affine, size=(3, 4, 5))
    with pytest.raises(ValueError, match=r"`size` must be positive.*\(0, 4\)"):
        stn.SpatialTransformer(good, affine, size=(0, 4))


def test_refuses_an_image_of_other_dimensions() -> None:
    module = transformer("affine")
    with pytest.raises(ValueError, match=r"`image` must be \(n, c, h, w\).*\(1, 1, 4, 5, 6\)"):
        module(torch.rand(1, 1, 8, 9), image=torch.rand(1, 1, 4, 5, 6))
    with pytest.raises(TypeError, match=r"`image` must be a torch.Tensor, got list"):
        module(torch.rand(1, 1, 8, 9), image=[1.0])
    with pytest.raises(TypeError, match=r"`image` must be a torch.Tensor, got list"):
        module([1.0])
    with pytest.raises(ValueError, match=r"`image` and `grid` must have the same batch size.*2 and 3"):
        module(torch.rand(3, 1, 8, 9), image=torch.rand(2, 1, 8, 9))
