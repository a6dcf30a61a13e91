"""image, grid -> output: kernels, paddings and the backends that run them."""

from .dispatch import BACKENDS as BACKENDS
from .dispatch import Backend as Backend
from .functional import sample as sample
from .kernels import Kernel as Kernel
from .module import Sampler as Sampler
from .request import Request as Request

__all__ = ["BACKENDS", "Backend", "Kernel", "Request", "Sampler", "sample"]
