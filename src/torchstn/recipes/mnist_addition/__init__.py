"""MNIST addition, the paper's appendix A.1: two digits in two channels, and their sum for a label."""

from .config import Config as Config
from .model import build_model as build_model
from .recipe import RECIPE as RECIPE
