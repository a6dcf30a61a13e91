"""A user's own pictures: a folder in, a classifier that shows where it looks out."""

from .config import Config as Config
from .data import Pictures as Pictures
from .model import PictureClassifier as PictureClassifier
from .model import build_model as build_model
from .recipe import RECIPE as RECIPE
