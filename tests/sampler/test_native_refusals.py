"""What the compiled kernels leave to the reference, and why; and the private names of torch that say so."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._C import _dispatch_keys
from torch.autograd import forward_ad
from torch.testing._internal.two_tensor import TwoTensor
from torch.utils._python_dispatch import TorchDispatchMode

import torchstn as stn
from torchstn.grid import DenseBasis, MatrixGrid
from torchstn.grid.absolute import AbsolutePoints
from torchstn.sampler import BACKENDS, Request
from torchstn.sampler.fused import guards
from torchstn.sampler.kernels import KERNELS
from torchstn.sampler.native import extension, refusal

pytestmark = [
    pytest.mark.usefixtures("compiled"),
    pytest.mark.filterwarnings("ignore:.torch.jit.trace. is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*quantized tensor creation functions:UserWarning"),
]

IMAGE, MATRIX = torch.rand(2, 3, 4, 5), torch.eye(2, 3).expand(2, 2, 3)


def _request(image: Tensor = IMAGE, matrix: Tensor = MATRIX, **options: Any) -> Request:
    size = options.pop("size", (6, 7))
    settings = {"kernel": KERNELS["linear"], "padding": "zeros", "fill": 0.0} | options
    return Request(image, MatrixGrid(matrix, size=size), **settings)


class Mode(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


class Named(Tensor):
    """A subclass that changes nothing, as far as a backend can tell."""


def _negated() -> Tensor:
    return torch.randn(2, 3, 4, 5, dtype=torch.complex64).conj().imag


REFUSED: dict[str, tuple[Callable[[], Request], str]] = {
    "complex": (
        lambda: _request(IMAGE.to(torch.complex64)),
        "no kernels for 2 dimension(s) of type torch.complex64",
    ),
    "labels": (lambda: _request(IMAGE.long()), "no kernels for 2 dimension(s) of type torch.int64"),
    "one dimension": (
        lambda: Request(
            torch.rand(1, 1, 5), AbsolutePoints(torch.rand(1, 4, 1), False), KERNELS["linear"], "zeros", 0.0
        ),
        "no kernels for 1 dimension(s) of type torch.float32",
    ),
    "lanczos": (lambda: _request(kernel=KERNELS["lanczos3"]), "'nearest', 'linear', 'cubic' only"),
    "the user's kernel": (
        lambda: _request(kernel=stn.Kernel(torch.cos, 1)),
        "'nearest', 'linear', 'cubic' only",
    ),
    "learned fill": (
        lambda: _request(padding="fill", fill=torch.ones(3, requires_grad=True)),
        "no gradient of `fill`",
    ),
    "no images": (lambda: _request(IMAGE[:0]), "nothing to read"),
    "no channels": (lambda: _request(IMAGE[:, :0]), "nothing to read"),
    "no grids": (lambda: _request(IMAGE[:1], MATRIX[:0]), "nothing to read"),
    "half coordinates": (lambda: _request(matrix=MATRIX.bfloat16()), "coordinates of type torch.bfloat16"),
    "another device": (lambda: _request(IMAGE.to("meta"), MATRIX.to("meta")), "not on meta"),
    "a subclass": (lambda: _request(IMAGE.as_subclass(Named)), "plain tensors only"),
    "a matrix of a subclass": (lambda: _request(matrix=MATRIX.as_subclass(Named)), "plain tensors only"),
    "a wrapper": (lambda: _request(TwoTensor(IMAGE, IMAGE)), "plain tensors only"),
    "negated": (lambda: _request(_negated()), "plain tensors only"),
    "long output": (lambda: _request(size=(2**30, 1)), "up to 1073741823 pixels along an axis"),
    "long image": (
        lambda: _request(torch.zeros(1).expand(1, 1, 2**30, 1)),
        "up to 1073741823 pixels along an axis",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_says_why_not(name: str) -> None:
    make, reason = REFUSED[name]
    assert reason in str(refusal(make()))


def test_takes_everything_else() -> None:
    for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.uint8):
        assert refusal(_request(IMAGE.to(dtype))) is None
    assert refusal(_request(torch.nn.Parameter(IMAGE), torch.nn.Parameter(MATRIX))) is None
    with torch.inference_mode():
        assert refusal(_request(IMAGE * 1, MATRIX * 1)) is None
    assert refusal(_request(padding="fill", fill=torch.ones(3))) is None
    with torch.no_grad():
        assert refusal(_request(padding="fill", fill=torch.ones(3, requires_grad=True))) is None


@contextmanager
def _dual() -> Iterator[None]:
    with forward_ad.dual_level():
        yield


@pytest.mark.parametrize(("state", "reason"), [(_dual, "forward-mode"), (Mode, "dispatch mode")])
def test_says_why_not_now(state: Any, reason: str) -> None:
    with state():
        assert reason in str(refusal(_request()))
    assert refusal(_request()) is None


def test_says_why_not_under_transforms() -> None:
    seen, request = [], _request()

    def look(value: Tensor) -> Tensor:
        seen.append(refusal(request))
        return value

    for transform in (torch.vmap, torch.func.grad, torch.func.jacfwd):
        argument = torch.zeros(2) if transform is not torch.func.grad else torch.zeros(())
        transform(look)(argument)
    assert seen == ["a torch.func transform is active"] * 3
    torch.jit.trace(look, torch.zeros(2), check_trace=False)
    assert seen[3:] == ["torch.jit is tracing"]


def test_an_explicit_choice_gives_the_reason() -> None:
    with pytest.raises(ValueError, match="'native' cannot run this: it has the kernels 'nearest', 'linear'"):
        stn.sample(IMAGE, MatrixGrid(MATRIX, size=(6, 7)), kernel="lanczos3", backend="native")


def test_what_is_refused_is_sampled_all_the_same() -> None:
    negated = _negated()
    grid = MatrixGrid(MATRIX * 0.9, size=(6, 7))
    assert torch.equal(stn.sample(negated, grid), stn.sample(negated.clone(), grid, backend="reference"))
    wrapped = stn.sample(TwoTensor(IMAGE, IMAGE * 2), grid)
    assert isinstance(wrapped, TwoTensor)
    assert torch.equal(wrapped.b, stn.sample(IMAGE * 2, grid, backend="reference"))


@pytest.mark.parametrize("reason", ["no compiled module", "does not load"])
def test_a_missing_extension_is_no_error(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    error = ModuleNotFoundError("gone") if reason == "no compiled module" else OSError("undefined symbol")

    def fail(name: str) -> None:
        raise error

    monkeypatch.setattr(extension, "_extension", extension._Extension())
    monkeypatch.setattr(importlib, "import_module", fail)
    backend = BACKENDS[0]
    assert backend.name == "native"
    assert reason in str(backend.missing)
    grid = MatrixGrid(MATRIX, size=(4, 5))
    assert torch.equal(stn.sample(IMAGE, grid), IMAGE)
    with pytest.raises(ValueError, match=f"`backend` 'native' cannot run this: .*{reason}"):
        stn.sample(IMAGE, grid, backend="native")


def test_where_it_runs_is_told() -> None:
    assert BACKENDS[0].missing is None
    assert BACKENDS[0].runs_on.startswith("CPU, in C++ (")


def test_a_learned_basis_is_made_by_torch_and_others_are_not() -> None:
    from torchstn.grid import BasisGrid
    from torchstn.sampler.fused.contract import BASIS, PIXELS
    from torchstn.sampler.fused.description import describe

    values = torch.rand(2, 6, 7)
    for learned, kind in ((False, BASIS), (True, PIXELS)):
        basis = DenseBasis(values.requires_grad_(learned))
        grid = BasisGrid(MATRIX, torch.rand(2, 2, 2), basis, size=(6, 7))
        request = Request(IMAGE, grid, KERNELS["linear"], "zeros", 0.0)
        assert describe(request)[0] == kind
        with torch.no_grad():
            assert describe(request)[0] == BASIS


def test_private_name_dispatch_keys() -> None:
    """Not part of torch's public face: this test says when it is gone, or means something else."""
    plain = _dispatch_keys(torch.rand(2)).raw_repr()
    assert plain in guards.plain_keys("cpu")
    assert len(guards.plain_keys("cpu")) == 2
    with torch.inference_mode():
        assert _dispatch_keys(torch.rand(2)).raw_repr() in guards.plain_keys("cpu") - {plain}
    others = {
        "view": (torch.rand(4, 4).T[1:], True),
        "parameter": (torch.nn.Parameter(torch.rand(2)), True),
        "with a history": (torch.rand(2, requires_grad=True) * 2, True),
        "bytes": (torch.zeros(2, dtype=torch.uint8), True),
        "meta": (torch.rand(2, device="meta"), False),
        "sparse": (torch.eye(2).to_sparse(), False),
        "quantised": (torch.quantize_per_tensor(torch.rand(2), 0.1, 0, torch.quint8), False),
        "zero": (torch._efficientzerotensor(2), False),
        "negated": (_negated(), False),
        "functional": (torch._to_functional_tensor(torch.rand(2)), False),
        "wrapper": (TwoTensor(torch.rand(2), torch.rand(2)), False),
    }
    for name, (tensor, expected) in others.items():
        assert (_dispatch_keys(tensor).raw_repr() in guards.plain_keys("cpu")) == expected, name
    seen = []
    torch._vmap_internals._vmap(lambda one: seen.append(_dispatch_keys(one).raw_repr()) or one)(
        torch.rand(2, 2)
    )
    assert len(seen) == 1
    assert not guards.plain_keys("cpu") & set(seen)


def test_private_name_current_level() -> None:
    assert forward_ad._current_level == -1
    with forward_ad.dual_level():
        assert forward_ad._current_level == 0
    assert forward_ad._current_level == -1


def test_private_name_is_tracing() -> None:
    seen = []
    torch.jit.trace(lambda x: seen.append(torch._C._is_tracing()) or x, torch.rand(2), check_trace=False)
    assert seen == [True]
    assert not torch._C._is_tracing()


def test_private_name_marked_constant() -> None:
    assert torch.compiler.assume_constant_result(lambda: None)._dynamo_marked_constant is True
