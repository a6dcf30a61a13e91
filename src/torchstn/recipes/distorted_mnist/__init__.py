"""Distorted MNIST, the paper's section 4.1: can a network learn to straighten what it reads?"""

from .config import Config as Config
from .config import make_config as make_config
from .model import build_model as build_model
from .recipe import RECIPE as RECIPE
