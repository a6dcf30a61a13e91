"""Digits in space, the paper's appendix A.3: can a network learn to turn what it reads to face it?"""

from .extrusion import Extruded as Extruded
from .extrusion import Pose as Pose
from .view import View as View
from .view import view as view
