"""Spatial transformers for PyTorch: a learnable, differentiable warp inside a network."""

from . import grid as grid
from . import localisation as localisation
from . import transform as transform
from .grid import Grid as Grid
from .monitor import Monitor as Monitor
from .monitor import TransformerWarning as TransformerWarning
from .parallel import Parallel as Parallel
from .parameter_groups import parameter_groups as parameter_groups
from .sampler import Kernel as Kernel
from .sampler import Sampler as Sampler
from .sampler import sample as sample
from .spatial_transformer import SpatialTransformer as SpatialTransformer

__version__ = "0.1.0"

__all__ = [
    "Grid",
    "Kernel",
    "Monitor",
    "Parallel",
    "Sampler",
    "SpatialTransformer",
    "TransformerWarning",
    "grid",
    "localisation",
    "parameter_groups",
    "sample",
    "transform",
]
