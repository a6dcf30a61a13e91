"""Street View House Numbers: photographs, their annotations, and the squares that are cut out of them."""

from .annotation import Box as Box
from .annotation import House as House
from .crops import crop as crop
from .digit_struct import read_digit_struct as read_digit_struct
from .download import download_svhn as download_svhn
from .files import find_part as find_part
from .files import find_svhn as find_svhn
from .labels_csv import read_labels as read_labels
from .photographs import Photographs as Photographs
from .store import NOTHING as NOTHING
from .store import POSITIONS as POSITIONS
from .store import Crops as Crops
from .store import load_crops as load_crops
