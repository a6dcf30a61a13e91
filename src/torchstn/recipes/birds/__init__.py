"""Birds told apart by their parts (section 4.3 and appendix A.6 of the paper)."""

from .config import Config as Config
from .model import BirdClassifier as BirdClassifier
from .model import build_model as build_model
from .parts import PartsSeen as PartsSeen
from .recipe import RECIPE as RECIPE
