"""The chooser: the fastest backend that can, or the one asked for, or an error with its reason."""

import pytest
import torch
from support.agreement import KINDS, Case, make_image, make_parameters, run
from torch import Tensor
from torch._C import _are_functorch_transforms_active
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode

import torchstn as stn
from torchstn._types import Size
from torchstn.grid import BasisGrid, MatrixGrid, PointGrid
from torchstn.grid.absolute import AbsolutePoints
from torchstn.sampler import BACKENDS, Backend, Request
from torchstn.sampler.kernels import resolve_kernel

IMAGE, POINTS = torch.rand(1, 1, 4, 4), torch.zeros(1, 2, 2, 2)


def _sevens(request: Request) -> Tensor:
    return torch.full_like(request.coordinates[0], 7.0).unsqueeze(1)


def _linear_only(request: Request) -> str | None:
    name = getattr(request.kernel, "name", "a kernel of one's own")
    return None if name == "linear" else f"it has 'linear' only, not {name!r}"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Backend:
    """A backend faster than all others, for the linear kernel; everything it reads is 7."""
    backend = Backend("fake", lambda: "nowhere", lambda: None, _linear_only, _sevens)
    monkeypatch.setattr("torchstn.sampler.dispatch.BACKENDS", [backend, *BACKENDS])
    return backend


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Backend("missing", lambda: "nowhere", lambda: "it was not built", lambda _: None, _sevens)
    monkeypatch.setattr("torchstn.sampler.dispatch.BACKENDS", [backend, *BACKENDS])


def test_the_reference_is_last_and_refuses_nothing() -> None:
    request = Request(IMAGE, AbsolutePoints(POINTS, False), stn.Kernel(torch.cos, 1), "circular", 0.0)
    assert BACKENDS[-1].name == "reference"
    assert BACKENDS[-1].missing is None
    assert BACKENDS[-1].refusal(request) is None


def test_auto_takes_the_first_that_can(fake: Backend) -> None:
    assert stn.sample(IMAGE, POINTS).eq(7).all()
    assert stn.sample(IMAGE, POINTS, kernel="cubic").lt(2).all()


def test_an_explicit_choice_is_obeyed(fake: Backend) -> None:
    assert stn.sample(IMAGE, POINTS, backend="fake").eq(7).all()
    assert stn.sample(IMAGE, POINTS, backend="reference").lt(2).all()
    assert stn.Sampler(backend="fake")(IMAGE, POINTS).eq(7).all()
    assert stn.Sampler(backend="reference")(IMAGE, POINTS).lt(2).all()


def test_an_explicit_choice_that_cannot_run_says_why(fake: Backend) -> None:
    message = "`backend` 'fake' cannot run this: it has 'linear' only, not 'cubic'; use 'auto'"
    with pytest.raises(ValueError, match=message):
        stn.sample(IMAGE, POINTS, kernel="cubic", backend="fake")


def test_a_missing_backend_is_passed_over_or_says_why(missing: None) -> None:
    assert stn.sample(IMAGE, POINTS).lt(2).all()
    with pytest.raises(ValueError, match="`backend` 'missing' cannot run this: it was not built"):
        stn.sample(IMAGE, POINTS, backend="missing")


def test_a_wrong_name_lists_the_right_ones(fake: Backend) -> None:
    with pytest.raises(
        ValueError, match="must be one of 'auto', 'fake', 'native', 'triton', 'reference', got 'fastest'"
    ):
        stn.sample(IMAGE, POINTS, backend="fastest")


def test_a_backend_is_told_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Request] = []

    def remember(request: Request) -> Tensor:
        seen.append(request)
        return _sevens(request)

    spy = Backend("spy", lambda: "nowhere", lambda: None, lambda _: None, remember)
    monkeypatch.setattr("torchstn.sampler.dispatch.BACKENDS", [spy])
    points = torch.tensor([-1.0, 1.0]).view(1, 1, 1, 2)
    stn.sample(torch.zeros(1, 2, 3, 5), points, padding="fill", fill=[1, 2], align_corners=True)
    (request,) = seen
    assert [float(axis) for axis in request.coordinates] == [0, 2]  # x first, in pixels
    assert request.fill.tolist() == [1, 2]
    assert (request.padding, request.align_corners) == ("fill", True)


class Counted(MatrixGrid):
    """A matrix grid that counts how often its coordinates are made."""

    made = 0

    def pixel_coordinates(self, input_size: Size) -> tuple[Tensor, ...]:
        Counted.made += 1
        return super().pixel_coordinates(input_size)


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_coordinates_are_made_once(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counted, "made", 0)
    stn.sample(IMAGE, Counted(torch.eye(2, 3)[None], size=(4, 4)), backend=backend, return_mask=True)
    assert Counted.made == 1


def test_coordinates_are_made_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counted, "made", 0)
    grid = Counted(torch.eye(2, 3)[None], size=(4, 4))
    request = Request(IMAGE, grid, resolve_kernel("linear"), "zeros", 0.0)
    assert Counted.made == 0
    assert request.coordinates is request.coordinates
    assert Counted.made == 1


@pytest.mark.parametrize("kind", [one for one in KINDS if one != "own"])
def test_the_compiled_kernels_never_ask_for_them(
    kind: str, compiled: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("coordinates were made")

    case = Case(kind=kind)
    image, parameters = make_image(case), make_parameters(case)
    leaves = [value.requires_grad_() for value in parameters]
    monkeypatch.setattr(Request, "coordinates", property(refuse))
    for grid in (MatrixGrid, BasisGrid, PointGrid, AbsolutePoints):
        monkeypatch.setattr(grid, "pixel_coordinates", refuse)
    output = run(case, image, leaves, "native")
    assert all(gradient.any() for gradient in torch.autograd.grad(output.sum(), leaves))


def test_private_name_functorch_transforms_active() -> None:
    """Not part of torch's public face: this test says when it is gone, or means something else."""
    seen = []

    def look(x: Tensor) -> Tensor:
        seen.append(_are_functorch_transforms_active())
        return x

    assert not _are_functorch_transforms_active()
    for transform in (torch.func.vmap, torch.func.jacfwd, torch.func.jacrev):
        transform(look)(torch.zeros(2))
    torch.func.jvp(look, (torch.zeros(2),), (torch.ones(2),))
    assert seen == [True] * 4
    assert not _are_functorch_transforms_active()


def test_private_name_current_dispatch_mode() -> None:
    class Mode(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            return func(*args, **(kwargs or {}))

    assert _get_current_dispatch_mode() is None
    with Mode() as mode:
        assert _get_current_dispatch_mode() is mode
    assert _get_current_dispatch_mode() is None
