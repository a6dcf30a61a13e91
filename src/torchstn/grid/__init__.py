"""Where every output point reads: grids, lazy until they are sampled."""

from .base import Grid as Grid
from .basis import Basis as Basis
from .basis import BasisGrid as BasisGrid
from .dense import DenseBasis as DenseBasis
from .lattice import lattice as lattice
from .matrix import MatrixGrid as MatrixGrid
from .points import PointGrid as PointGrid
from .solve import InverseReport as InverseReport
from .spline import SplineBasis as SplineBasis
from .thin_plate import ThinPlateBasis as ThinPlateBasis

__all__ = [
    "Basis",
    "BasisGrid",
    "DenseBasis",
    "Grid",
    "InverseReport",
    "MatrixGrid",
    "PointGrid",
    "SplineBasis",
    "ThinPlateBasis",
    "lattice",
]
