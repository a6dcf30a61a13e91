"""Digits in space, the paper's appendix A.3: can a network learn to turn what it reads to face it?"""

from .config import Config as Config
from .extrusion import Extruded as Extruded
from .extrusion import Pose as Pose
from .model import Projection as Projection
from .model import build_model as build_model
from .recipe import RECIPE as RECIPE
from .view import View as View
from .view import view as view
