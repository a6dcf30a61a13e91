"""Co-localisation, the paper's appendix A.2: where is what these images have in common?"""

from .config import Config as Config
from .config import Optimisation as Optimisation
from .data import Images as Images
from .experiment import Located as Located
from .experiment import locate as locate
from .experiment import train as train
from .folder import Shared as Shared
from .folder import find_shared as find_shared
from .optimise import Found as Found
from .optimise import co_localise as co_localise
from .paper import paper_share as paper_share
