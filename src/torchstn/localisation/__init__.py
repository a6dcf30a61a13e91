"""image -> theta: the networks that decide where to look."""

from .base import Backbone as Backbone
from .base import Localisation as Localisation
from .head import RegressionHead as RegressionHead
from .networks import Convolutional as Convolutional
from .networks import FullyConnected as FullyConnected
from .soft_argmax import SoftArgmax as SoftArgmax

__all__ = ["Backbone", "Convolutional", "FullyConnected", "Localisation", "RegressionHead", "SoftArgmax"]
