"""Archives: what is in them is read, and nothing is written outside the folder they are unpacked into."""

import io
import random
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from torchstn.data import archives
from torchstn.data.archives import Entries, extract_tar

FILES = {"a.txt": b"one", "deep/b.txt": b"two" * 1000}
LIMIT = 10_000


def tar(path: Path, members: dict[str, bytes], *links: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for link in links:
            made.addfile(link)
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(params=["folder", "zip"])
def entries(request: pytest.FixtureRequest, tmp_path: Path) -> Entries:
    if request.param == "folder":
        for name, content in FILES.items():
            (tmp_path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "files" / name).write_bytes(content)
        return Entries(tmp_path / "files")
    with zipfile.ZipFile(tmp_path / "files.zip", "w") as made:
        made.mkdir("deep")
        for name, content in FILES.items():
            made.writestr(name, content)
    return Entries(tmp_path / "files.zip")


def test_a_folder_and_a_zip_give_the_same_files(entries: Entries) -> None:
    with entries:
        assert list(entries) == list(FILES)
        assert "deep/b.txt" in entries
        assert "deep" not in entries
        for name, content in FILES.items():
            with entries.open(name) as file:
                assert file.read() == content
        with pytest.raises(ValueError, match=r"there is no c.txt in it"), entries.open("c.txt"):
            pass


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("place", [2, 60, 90])
def test_a_file_that_is_damaged_within_its_zip_is_named(tmp_path: Path, kind: int, place: int) -> None:
    path, content = tmp_path / "all.zip", random.randbytes(300).hex().encode()
    with zipfile.ZipFile(path, "w", kind) as made:
        made.writestr("a.txt", content)
    damaged = bytearray(path.read_bytes())
    damaged[place] ^= 255
    path.write_bytes(damaged)
    with (
        Entries(path) as entries,
        pytest.raises(ValueError, match=r"all.zip: a.txt in it is damaged"),
        entries.open("a.txt") as file,
    ):
        file.read()


@pytest.mark.parametrize(("place", "value"), [(8, 99), (6, 1)])
def test_a_compression_nobody_knows_and_a_password_are_named(tmp_path: Path, place: int, value: int) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a.txt", b"one")
    changed = bytearray(path.read_bytes())
    for start in (place, changed.index(b"PK\1\2") + place + 2):  # said twice, at the file and in the list
        changed[start] = value
    path.write_bytes(changed)
    with (
        Entries(path) as entries,
        pytest.raises(ValueError, match=r"all.zip: a.txt in it cannot be read"),
        entries.open("a.txt"),
    ):
        pass


def test_a_zip_that_claims_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("zeros", bytes(5000))
    monkeypatch.setattr(archives, "MOST_BYTES", 4999)
    with (
        Entries(tmp_path / "bomb.zip") as bomb,
        pytest.raises(ValueError, match="claims 5000 bytes"),
        bomb.open("zeros"),
    ):
        pass


@pytest.mark.parametrize("name", ["missing", "broken.zip"])
def test_what_is_neither_folder_nor_zip_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.zip").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=f"{name}: (there is no such|this is not a whole)"):
        Entries(tmp_path / name)


def test_a_tar_is_unpacked_and_progress_told(tmp_path: Path) -> None:
    path = tar(tmp_path / "files.tar.gz", FILES)
    told: list[tuple[int, int]] = []
    extract_tar(path, tmp_path / "out", most_bytes=LIMIT, progress=lambda *done: told.append(done))
    assert contents(tmp_path / "out") == FILES
    assert told[-1][1] == path.stat().st_size


def test_of_two_at_once_the_second_waits_for_the_first_and_takes_its_folder(tmp_path: Path) -> None:
    path = tar(tmp_path / "files.tar.gz", FILES)
    found: list[dict[str, bytes]] = []

    def fail(done: int, total: int) -> None:
        pytest.fail("The second unpacks, too.")

    def second() -> None:
        extract_tar(path, tmp_path / "out", most_bytes=LIMIT, progress=fail)
        found.append(contents(tmp_path / "out"))

    other = threading.Thread(target=second)

    def meanwhile(done: int, total: int) -> None:
        if other.ident is None:
            other.start()
            other.join(0.3)

    extract_tar(path, tmp_path / "out", most_bytes=LIMIT, progress=meanwhile)
    other.join(20)
    assert found == [FILES]
    assert contents(tmp_path / "out") == FILES


def test_one_folder_of_a_tar_is_unpacked_alone(tmp_path: Path) -> None:
    path = tar(tmp_path / "files.tar.gz", FILES | {"./deep/er/c.txt": b"three", "deeper/d.txt": b"four"})
    extract_tar(path, tmp_path / "out", most_bytes=LIMIT, within="deep")
    assert contents(tmp_path / "out") == {"b.txt": FILES["deep/b.txt"], "er/c.txt": b"three"}
    with pytest.raises(ValueError, match=r"files.tar.gz must hold files in a folder train, and does not"):
        extract_tar(path, tmp_path / "none", most_bytes=LIMIT, within="train")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "name", ["/tmp/outside", "../outside", "deep/../../outside", "..\\outside", "C:outside"]
)
def test_a_name_that_leads_outside_is_refused_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    path = tar(tmp_path / "evil.tar.gz", {"a.txt": b"one", name: b"two"})
    with pytest.raises(ValueError, match="names a place outside the folder"):
        extract_tar(path, tmp_path / "out", most_bytes=LIMIT)
    assert sorted(one.name for one in tmp_path.iterdir()) == [".lock", "evil.tar.gz"]


def test_a_link_is_not_made_nor_written_through(tmp_path: Path) -> None:
    link = tarfile.TarInfo("deep")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    path = tar(tmp_path / "links.tar.gz", FILES, link)
    extract_tar(path, tmp_path / "out", most_bytes=LIMIT)
    assert contents(tmp_path / "out") == FILES
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_tar_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tar(tmp_path / "bomb.tar.gz", {"zeros": bytes(LIMIT + 1)})
    with pytest.raises(ValueError, match=f"more than the {LIMIT} bytes allowed"):
        extract_tar(path, tmp_path / "out", most_bytes=LIMIT)
    assert not (tmp_path / "out").exists()


def test_a_tar_that_is_damaged_inside_is_refused_by_name(tmp_path: Path) -> None:
    path, content = tmp_path / "files.tar.xz", random.randbytes(100_000).hex().encode()
    with tarfile.open(path, "w:xz") as made:
        member = tarfile.TarInfo("noise")
        member.size = len(content)
        made.addfile(member, io.BytesIO(content))
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 255
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"files.tar.xz: this is not a whole tar"):
        extract_tar(path, tmp_path / "out", most_bytes=len(content))


def test_a_tar_that_is_cut_off_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    path = tar(tmp_path / "files.tar.gz", {"noise": bytes(range(256)) * 30})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match="not a whole tar"):
        extract_tar(path, tmp_path / "out", most_bytes=LIMIT)
    assert sorted(one.name for one in tmp_path.iterdir()) == [".lock", "files.tar.gz"]
