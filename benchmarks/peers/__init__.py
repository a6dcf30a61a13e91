"""Everyone who takes part, by name."""

from ..case import OURS
from .base import Call as Call
from .base import Peer as Peer
from .torchstn_itself import reference, torchstn
from .with_interpol import interpol
from .with_kornia import kornia
from .with_monai import monai
from .with_opencv import opencv
from .with_scipy import scipy
from .with_torch import compiled, eager
from .with_voxelmorph import voxelmorph

PEERS: dict[str, Peer] = {
    OURS: torchstn,
    "reference": reference,
    "torch": eager,
    "torch.compile": compiled,
    "kornia": kornia,
    "OpenCV": opencv,
    "MONAI": monai,
    "torch-interpol": interpol,
    "voxelmorph": voxelmorph,
    "scipy": scipy,
}

DISTRIBUTIONS = {
    "torch": "torch",
    "kornia": "kornia",
    "OpenCV": "opencv-python-headless",
    "MONAI": "monai",
    "torch-interpol": "torch-interpol",
    "voxelmorph": "voxelmorph",
    "scipy": "scipy",
    "numpy": "numpy",
}
"""What to look the versions up by."""
