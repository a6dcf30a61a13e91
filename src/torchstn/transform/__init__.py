"""theta -> grid: the families of transformations."""

from .affine import Affine as Affine
from .affine import Projective as Projective
from .attention import Attention as Attention
from .base import Frame as Frame
from .base import Transform as Transform
from .basis import Basis as Basis
from .elastic import Displacement as Displacement
from .elastic import FreeForm as FreeForm
from .elastic import ThinPlate as ThinPlate
from .rigid import Rigid as Rigid
from .rigid import Similarity as Similarity
from .translation import Translation as Translation

__all__ = [
    "Affine",
    "Attention",
    "Basis",
    "Displacement",
    "Frame",
    "FreeForm",
    "Projective",
    "Rigid",
    "Similarity",
    "ThinPlate",
    "Transform",
    "Translation",
]
