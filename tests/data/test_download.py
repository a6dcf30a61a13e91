"""Downloads from a server on the loopback interface that misbehaves as told."""

import gzip
import hashlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from torchstn.data import DownloadError, download, download_file, download_mnist
from torchstn.data.mnist_files import MnistFile

CONTENT = bytes(range(256)) * 1024
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `content`; `break_after` bytes it drops the connection, as many times as `breaks`."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = {"file": CONTENT}
        self.breaks = 0
        self.break_after = 100_000
        self.ranges = True
        self.shift = 0
        self.seen = []

    def handle_error(self, request, client_address):
        """A client that hangs up on an endless file is right to."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.seen.append(asked)
        content = self.server.content.get(self.path[1:])
        if content is None:
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            start += self.server.shift
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = len(content)
        if self.server.breaks:
            self.server.breaks -= 1
            stop = start + self.server.break_after
        self.wfile.write(content[start:stop])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join(10)


def fetch(server, target, **changes):
    download_file(
        [server.url + "file"], target, **{"size": len(CONTENT), "sha256": SHA256, "timeout": 5} | changes
    )


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_fetches_a_file_and_says_how_far_it_is(server, tmp_path):
    told = []
    fetch(server, tmp_path / "got", progress=lambda *news: told.append(news))
    assert (tmp_path / "got").read_bytes() == CONTENT
    assert files(tmp_path) == ["got"]
    assert told[0] == ("got", 0, len(CONTENT))
    assert told[-1] == ("got", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})


def test_a_broken_connection_is_resumed_where_it_broke(server, tmp_path):
    server.breaks = 2
    fetch(server, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == CONTENT
    assert server.seen == [None, "bytes=100000-", "bytes=200000-"]


def test_a_later_call_resumes_what_an_earlier_one_left(server, tmp_path):
    server.breaks, server.break_after = 3, 50_000
    with pytest.raises(DownloadError, match="the connection ended after 150000 of 262144 bytes"):
        fetch(server, tmp_path / "got")
    assert files(tmp_path) == ["got.part"]
    fetch(server, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == CONTENT
    assert server.seen[-1] == "bytes=150000-"


@pytest.mark.parametrize("arrived", [0, 100_000])
def test_of_two_at_once_the_second_waits_for_the_first_and_takes_its_file(
    server, tmp_path, monkeypatch, arrived
):
    monkeypatch.setattr(download, "_AGAIN", 0.02)
    (tmp_path / "got.part").write_bytes(CONTENT[:arrived])
    found, told = [], []

    def second():
        fetch(server, tmp_path / "got", progress=lambda *news: told.append(news))
        found.append((tmp_path / "got").read_bytes() == CONTENT)

    other = threading.Thread(target=second)

    def meanwhile(name, done, size):
        if arrived < done < size and other.ident is None:
            other.start()
            other.join(0.3)

    fetch(server, tmp_path / "got", progress=meanwhile)
    other.join(20)
    assert found == [True]
    assert len(server.seen) == 1
    assert arrived <= told[0][1] < told[-1][1] == len(CONTENT)
    assert files(tmp_path) == ["got"]


def test_one_that_waits_for_a_download_that_breaks_off_goes_on_with_it(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_AGAIN", 0.02)
    server.breaks = 1
    other = threading.Thread(target=fetch, args=(server, tmp_path / "got"))

    def meanwhile(name, done, size):
        if done == server.break_after:
            other.start()
            other.join(0.2)
            assert other.is_alive()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(server, tmp_path / "got", progress=meanwhile)
    other.join(20)
    assert (tmp_path / "got").read_bytes() == CONTENT
    assert server.seen == [None, "bytes=100000-"]


def test_a_server_without_ranges_is_read_from_the_start(server, tmp_path):
    server.breaks, server.ranges = 1, False
    fetch(server, tmp_path / "got")
    assert server.seen == [None, "bytes=100000-"]
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_a_wrong_part_is_not_glued_on(server, tmp_path):
    server.breaks, server.shift = 1, 1
    fetch(server, tmp_path / "got")
    assert server.seen == [None, "bytes=100000-", None]
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_a_damaged_part_on_disk_is_thrown_away(server, tmp_path):
    (tmp_path / "got.part").write_bytes(b"x" * 1000)
    fetch(server, tmp_path / "got")
    assert server.seen == ["bytes=1000-", None]
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(server, tmp_path):
    (tmp_path / "got.part").write_bytes(CONTENT + b"x")
    fetch(server, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_a_whole_part_needs_no_server(tmp_path):
    (tmp_path / "got.part").write_bytes(CONTENT)
    download_file(["http://127.0.0.1:9/file"], tmp_path / "got", size=len(CONTENT), sha256=SHA256)
    assert files(tmp_path) == ["got"]


def test_a_wrong_checksum_never_becomes_the_file(server, tmp_path):
    server.content["file"] = CONTENT[:-1] + b"x"
    (tmp_path / "got").write_bytes(b"what was there")
    with pytest.raises(DownloadError, match="its SHA-256 is [0-9a-f]{64}, not " + SHA256):
        fetch(server, tmp_path / "got")
    assert files(tmp_path) == ["got"]
    assert (tmp_path / "got").read_bytes() == b"what was there"


def test_an_endless_file_is_cut_off_at_its_size(server, tmp_path):
    server.content["file"] = CONTENT * 100
    with pytest.raises(DownloadError, match="the server sends more than the file's 262144 bytes"):
        fetch(server, tmp_path / "got")
    assert files(tmp_path) == []


def test_the_next_mirror_continues_what_the_first_left(server, tmp_path):
    server.breaks, server.break_after = 3, 10_000
    server.content["other"] = CONTENT
    urls = [server.url + name for name in ("missing", "file", "other")]
    download_file(urls, tmp_path / "got", size=len(CONTENT), sha256=SHA256)
    assert (tmp_path / "got").read_bytes() == CONTENT
    assert server.seen == [None, None, "bytes=10000-", "bytes=20000-", "bytes=30000-"]


def test_says_what_the_server_said(server, tmp_path):
    with pytest.raises(DownloadError, match=r"Could not download got, .*/missing: the server says 404"):
        download_file([server.url + "missing"], tmp_path / "got", size=1, sha256="")


def test_without_a_network_one_sentence_says_so(tmp_path):
    with pytest.raises(DownloadError) as refusal:
        download_file(["http://127.0.0.1:9/file"], tmp_path / "got", size=1, sha256="")
    assert str(refusal.value).startswith(
        "Could not download got, is there a network? Last failure: http://127.0.0.1:9/file:"
    )
    assert "\n" not in str(refusal.value)
    assert files(tmp_path) == []


def test_a_silent_server_does_not_hold_one_forever(tmp_path):
    begun = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file"
        with pytest.raises(DownloadError, match="timed out"):
            download_file([url], tmp_path / "got", size=1, sha256="", timeout=0.05)
    assert time.monotonic() - begun < 5


def test_a_folder_that_cannot_be_written_is_not_called_a_network_fault(server, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no-such-folder"):
        fetch(server, tmp_path / "no-such-folder" / "got")
    assert len(server.seen) <= 1


def test_other_schemes_are_refused(tmp_path):
    (tmp_path / "secret").write_bytes(CONTENT)
    with pytest.raises(ValueError, match="must start with https://"):
        download_file([f"file://{tmp_path}/secret"], tmp_path / "got", size=len(CONTENT), sha256=SHA256)


def test_mnist_keeps_what_is_right_and_fetches_the_rest(server, tmp_path, monkeypatch):
    packed = {name: gzip.compress(name.encode()) for name in ("a-idx.gz", "b-idx.gz")}
    known = tuple(
        MnistFile(name[0], "idx", len(content), hashlib.sha256(content).hexdigest(), (1,), "")
        for name, content in packed.items()
    )
    monkeypatch.setattr(download, "MNIST_FILES", known)
    server.content = packed
    (tmp_path / "a-idx.gz").write_bytes(packed["a-idx.gz"])
    (tmp_path / "b-idx.gz").write_bytes(b"damaged")
    assert download_mnist(tmp_path, mirrors=[server.url]) == tmp_path
    assert (tmp_path / "b-idx.gz").read_bytes() == packed["b-idx.gz"]
    assert len(server.seen) == 1


def test_mnist_goes_to_the_data_folder_by_default(server, data_folder, monkeypatch):
    monkeypatch.setattr(download, "MNIST_FILES", ())
    assert download_mnist() == data_folder / "mnist"


def test_a_file_known_by_its_md5_alone_is_checked_by_it(server, tmp_path):
    fetch(server, tmp_path / "got", sha256=None, md5=hashlib.md5(CONTENT).hexdigest())
    assert (tmp_path / "got").read_bytes() == CONTENT
    with pytest.raises(DownloadError, match=r"its MD5 is .*, not 00"):
        fetch(server, tmp_path / "other", sha256=None, md5="00")
    with pytest.raises(ValueError, match="One of `sha256` and `md5`"):
        fetch(server, tmp_path / "neither", sha256=None)
