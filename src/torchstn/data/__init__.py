"""Readers of the real data sets, their download, and the distortions made from them."""

from .cub import Cub as Cub
from .cub import load_cub as load_cub
from .cub_download import download_cub as download_cub
from .distortion import DISTORTIONS as DISTORTIONS
from .distortion import Cluttered as Cluttered
from .distortion import Distortion as Distortion
from .distortion import Elastic as Elastic
from .distortion import Perspective as Perspective
from .distortion import Rotation as Rotation
from .distortion import RotationScaleTranslation as RotationScaleTranslation
from .distortion import Undistorted as Undistorted
from .download import DownloadError as DownloadError
from .download import download_file as download_file
from .download import download_mnist as download_mnist
from .idx import read_idx as read_idx
from .mnist import Mnist as Mnist
from .mnist import load_mnist as load_mnist
from .mnist_files import get_data_dir as get_data_dir
from .picture_store import PictureStore as PictureStore
from .picture_store import prepare_pictures as prepare_pictures
from .pictures import open_picture as open_picture
from .pictures import picture_size as picture_size
from .pictures import read_picture as read_picture
from .random import Draws as Draws
