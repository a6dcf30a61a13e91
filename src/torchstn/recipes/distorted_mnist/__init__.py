"""Distorted MNIST, the paper's section 4.1: can a network learn to straighten what it reads?"""

from .config import Config as Config
from .config import cell_name as cell_name
from .config import load_preset as load_preset
from .config import make_config as make_config
from .experiment import evaluate as evaluate
from .experiment import load_run as load_run
from .experiment import train as train
from .model import build_model as build_model
from .results import result_path as result_path
