"""Street View House Numbers, the paper's section 4.2: up to five digits read at once."""

from .config import Config as Config
from .model import SequenceReader as SequenceReader
from .model import build_model as build_model
from .recipe import RECIPE as RECIPE
