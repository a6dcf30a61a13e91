import gzip
import struct
import tracemalloc

import numpy as np
import pytest

from torchstn.data import read_idx


def idx(array, *, sizes=None, kind=0x08):
    sizes = array.shape if sizes is None else sizes
    header = struct.pack(f">HBB{len(sizes)}I", 0, kind, len(sizes), *sizes)
    return header + array.tobytes()


PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
@pytest.mark.parametrize(
    ("kind", "dtype"), [(8, "u1"), (9, "i1"), (0xB, ">i2"), (0xC, ">i4"), (0xD, ">f4"), (0xE, ">f8")]
)
def test_reads_every_type(tmp_path, pack, kind, dtype):
    array = PIXELS.astype(dtype)
    path = tmp_path / "file"
    path.write_bytes(pack(idx(array, kind=kind)))
    read = read_idx(path, shape=(2, 3, 4))
    assert read.dtype == np.dtype(dtype).newbyteorder("=")
    assert np.array_equal(read, array)


def test_reads_an_empty_array(tmp_path):
    (tmp_path / "file").write_bytes(idx(np.zeros((0, 28, 28), np.uint8)))
    assert read_idx(tmp_path / "file").shape == (0, 28, 28)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "starts with no bytes"),
        (b"\0\0", "starts with 00 00"),
        (b"\x89PNG\r\n", "starts with 89 50 4e 47"),
        (b"\0\0\x08\0", "starts with 00 00 08 00"),
        (b"\0\0\x07\x01\0\0\0\0", "starts with 00 00 07 01"),
        (b"\0\0\x08\x03\0\0\0\x01", "ends inside its header"),
        (idx(PIXELS)[:-1], "24 bytes of data, but holds only 23"),
        (idx(PIXELS) + b"\0", "24 bytes of data, but holds more"),
        (idx(PIXELS, sizes=(4, 3, 2)), r"shape \(2, 3, 4\), but its header says \(4, 3, 2\)"),
    ],
)
def test_refuses_what_is_not_a_whole_idx_file(tmp_path, pack, content, said):
    path = tmp_path / "odd.idx"
    path.write_bytes(pack(content))
    with pytest.raises(ValueError, match=said) as refusal:
        read_idx(path, shape=(2, 3, 4))
    assert "odd.idx" in str(refusal.value)


def damaged(packed, *, at):
    return packed[:at] + bytes([packed[at] ^ 0xFF]) + packed[at + 1 :]


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(idx(PIXELS))[:-9],
        damaged(gzip.compress(idx(PIXELS)), at=-5),
        damaged(gzip.compress(idx(PIXELS)), at=12),
        b"\x1f\x8b",
    ],
    ids=["cut-short", "checksum", "stream", "magic-only"],
)
def test_refuses_a_broken_gzip_file(tmp_path, content):
    (tmp_path / "file.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"file\.gz must be a whole gzip file"):
        read_idx(tmp_path / "file.gz")


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        (
            (2**32 - 1,) * 3,
            "promises 79228162458924105385300197375 bytes",
        ),  # 2^96: no overflow to something small
        ((2**29,), "promises 536870912 bytes"),
        ((1000,), "promises 1000 bytes of data, but holds more"),
    ],
)
def test_a_lying_header_costs_no_memory(tmp_path, sizes, said):
    """64 MiB of zeros in 64 kB: neither the promise nor the content is ever held in memory."""
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(idx(np.zeros(1 << 26, np.uint8), sizes=sizes)))
    tracemalloc.start()
    with pytest.raises(ValueError, match=said):
        read_idx(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_refuses_more_than_asked_for(tmp_path):
    (tmp_path / "file").write_bytes(idx(PIXELS))
    with pytest.raises(ValueError, match="promises 24 bytes of data, more than the 23 it may hold"):
        read_idx(tmp_path / "file", max_bytes=23)
