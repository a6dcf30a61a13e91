"""Networks from pictures to maps, by name: timm's, one whose weights are a package, and a small one."""

from .catalogue import BACKBONES as BACKBONES
from .catalogue import build_backbone as build_backbone
from .catalogue import check_backbone as check_backbone
from .named import NamedBackbone as NamedBackbone
from .named import Normalise as Normalise
from .timm_models import TIMM as TIMM
from .timm_models import create_timm as create_timm
