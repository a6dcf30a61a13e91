import cv2
import numpy as np
import pytest
import torch

from torchstn.data import DISTORTIONS, Draws, Perspective, load_mnist
from torchstn.data.distortion.perspective import homography

EACH = pytest.mark.parametrize("name", list(DISTORTIONS))


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


@pytest.fixture(scope="module")
def distort(mnist):
    """distort(name or distortion, indices, ...): training digits, distorted."""

    def run(distortion, indices=range(64), *, seed=0, epoch=0):
        distortion = DISTORTIONS.get(distortion, distortion) if isinstance(distortion, str) else distortion
        indices = torch.as_tensor(list(indices), dtype=torch.int64)
        images = mnist.train_images[indices]
        return distortion(images, indices, seed=seed, epoch=epoch, clutter=mnist.train_images)

    return run


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("none", (28, 28)),
        ("R", (28, 28)),
        ("RTS", (42, 42)),
        ("P", (28, 28)),
        ("E", (28, 28)),
        ("TC", (60, 60)),
    ],
)
def test_pictures_have_the_papers_canvas(distort, name, size):
    pictures = distort(name)
    assert DISTORTIONS[name].size == size
    assert pictures.shape == (64, 1, *size)
    assert pictures.dtype == torch.float32
    assert 0 <= pictures.min() < 1e-6
    assert 0.9 < pictures.amax((1, 2, 3)).mean() <= pictures.max() <= 1


def test_none_is_the_digit(distort, mnist):
    assert torch.equal(distort("none") * 255, mnist.train_images[:64, None].float())


@EACH
def test_a_picture_is_the_same_in_any_batch_and_order(distort, name):
    """To the bit, but for the matrix product inside E, whose rounding may depend on its size."""
    every = distort(name, range(100))
    allowed = {"rtol": 0, "atol": 2e-6 if name == "E" else 0}
    order = torch.randperm(100)[:23]
    torch.testing.assert_close(distort(name, order), every[order], **allowed)
    torch.testing.assert_close(distort(name, [40]), every[[40]], **allowed)


@EACH
def test_an_empty_batch_gives_no_pictures(distort, name):
    assert distort(name, []).shape == (0, 1, *DISTORTIONS[name].size)


@pytest.mark.parametrize("name", [name for name in DISTORTIONS if name != "none"])
@pytest.mark.parametrize("change", [{"seed": 1}, {"epoch": 1}, {"epoch": -1}])
def test_seed_and_epoch_change_every_picture(distort, name, change):
    differs = (distort(name) != distort(name, **change)).flatten(1).any(dim=1)
    assert differs.sum() >= 63


def test_the_input_is_left_alone(mnist):
    before = mnist.train_images[:8].clone()
    for distortion in DISTORTIONS.values():
        distortion(mnist.train_images[:8], torch.arange(8), seed=0, epoch=0, clutter=mnist.train_images)
    assert torch.equal(mnist.train_images[:8], before)


def test_rts_cuts_off_next_to_nothing_of_a_digit(distort, mnist):
    indices = torch.arange(0, 4000, 10)
    scale = torch.from_numpy(Draws(0, 0, indices.numpy()).uniform("scale", 1, 0.7, 1.2))[:, 0]
    ink = mnist.train_images[indices].sum((1, 2)) / 255 * scale**2
    kept = distort("RTS", indices).sum((1, 2, 3)) / ink
    assert kept.mean() == pytest.approx(1, abs=3e-3)
    assert kept.min() > 0.9


def test_the_corners_of_p_are_always_convex_and_depend_on_the_index_alone():
    perspective = Perspective(deviation=5.0)  # some of its corners are drawn again
    quads = perspective.corners(Draws(0, 0, np.arange(3000)))
    assert all(cv2.isContourConvex(quad.astype(np.float32)) for quad in quads)
    order = np.random.default_rng(0).permutation(3000)[:500]
    assert np.array_equal(perspective.corners(Draws(0, 0, order)), quads[order])


def _moves(perspective, draws):
    scale = draws.uniform("scale", 1, 0.75, 1.0)[:, :, None]
    home = 13.5 * scale * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return perspective.corners(draws) - home


def test_the_corners_of_p_move_with_a_variance_of_five_square_pixels():
    moves = _moves(DISTORTIONS["P"], Draws(0, 0, np.arange(20000)))
    assert moves.var(axis=0) == pytest.approx(5 * np.ones((4, 2)), abs=0.2)


def test_corners_that_are_not_convex_are_drawn_again():
    """They are the 2 % with the largest moves, so what is left spreads a little less."""
    draws = Draws(0, 0, np.arange(20000))
    moves = _moves(Perspective(deviation=5.0), draws)
    assert moves.std(axis=0) == pytest.approx(4.95 * np.ones((4, 2)), abs=0.1)
    first = draws.normal("corners 0", 8, 5.0).reshape(-1, 4, 2)
    redrawn = (np.abs(moves - first) > 1e-9).any(axis=(1, 2)).mean()
    assert redrawn == pytest.approx(0.02, abs=0.01)


def test_a_homography_takes_each_point_to_its_own(seed):
    source = np.random.default_rng(seed).normal([[-9, -9], [9, -9], [9, 9], [-9, 9]], 1.0, (50, 4, 2))
    target = np.array([[-1.0, -2.0], [3.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    matrix = np.concatenate((homography(source, target), np.ones((50, 1))), axis=1).reshape(-1, 3, 3)
    for points, each in zip(source, matrix, strict=True):
        assert cv2.perspectiveTransform(points[None], each)[0] == pytest.approx(target, abs=1e-9)


def test_p_gives_up_where_hardly_any_corners_are_convex(distort):
    with pytest.raises(
        ValueError, match="`deviation` must leave convex quadrilaterals likely, got 1e-05 pixels"
    ):
        distort(Perspective(smallest=1e-9, largest=1e-9, deviation=1e-5))


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (
            {"images": torch.zeros(2, 28, 28)},
            TypeError,
            "`images` must be uint8, 0 to 255, got torch.float32",
        ),
        (
            {"images": torch.zeros(2, 1, 28, 28, dtype=torch.uint8)},
            ValueError,
            r"`images` must be \(n, 28, 28\)",
        ),
        ({"images": torch.zeros(2, 32, 32, dtype=torch.uint8)}, ValueError, r"got \(2, 32, 32\)"),
        ({"indices": torch.tensor([0.0, 1.0])}, TypeError, "`indices` must be int64, got torch.float32"),
        ({"indices": torch.tensor([0, 1, 2])}, ValueError, r"`indices` must be \(2,\), one each, got \(3,\)"),
        ({"clutter": torch.zeros(9, 784, dtype=torch.uint8)}, ValueError, r"`clutter` must be \(n, 28, 28\)"),
        ({"clutter": None}, ValueError, "`clutter` must hold the digits that pieces are cut from"),
        ({"clutter": torch.zeros(0, 28, 28, dtype=torch.uint8)}, ValueError, "but there are none"),
    ],
)
def test_refusals_name_the_argument_and_the_rule(change, error, said):
    digits = torch.zeros(2, 28, 28, dtype=torch.uint8)
    with pytest.raises(error, match=said):
        DISTORTIONS["TC"](
            **{"images": digits, "indices": torch.arange(2), "clutter": digits, "seed": 0, "epoch": 0}
            | change
        )
