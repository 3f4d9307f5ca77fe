"""Files and folders appear whole or not at all, and a compressed file that is cut off is never taken for whole."""

import errno
import os
import shutil
import stat
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from errors import InputFileError, SessionError
from ops.erasure.ledger import NotedPost, note_posts
from storage import files
from storage.files import atomic_directory, atomic_file, decompress, open_decompressed, write_atomically
from tests.sentences import is_one_sentence

CONTENT = b"the kettle is in the blue kitchen\n" * 10_000


class Killed(BaseException):
    """The process ends here."""


def kill(*_: object, **__: object) -> None:
    raise Killed


def fill_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fail_at(_: object) -> None:
    raise ValueError("no more")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- Files


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "note.json"
    target.write_bytes(b"old")

    write_atomically(target, b"new")

    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_crash_before_the_new_file_has_its_name_leaves_the_old_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    target = tmp_path / "note.json"
    target.write_bytes(b"old")
    with monkeypatch.context() as dying:
        dying.setattr(os if step == "fsync" else Path, step, kill)
        dying.setattr(Path, "unlink", lambda *_, **__: None)  # nobody tidies up after a kill
        with pytest.raises(Killed):
            write_atomically(target, b"new")

    assert target.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2
    write_atomically(target, b"newer")
    assert target.read_bytes() == b"newer"
    assert list(tmp_path.iterdir()) == [target]


def test_the_new_content_and_name_are_on_the_disk_before_the_write_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "note.json"
    synced = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), target.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)

    write_atomically(target, b"new")

    assert synced == [(False, False), (True, True)]  # the file, its name, the folder


def test_what_fails_while_the_file_is_written_leaves_the_old_one_alone(tmp_path: Path) -> None:
    target = tmp_path / "note.json"
    target.write_bytes(b"old")

    with pytest.raises(ValueError, match="no more"), atomic_file(target) as partial:
        fail_at(partial.write_bytes(b"half of it"))

    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_file_is_private_and_a_replaced_one_keeps_its_mode(tmp_path: Path) -> None:
    fresh, known = tmp_path / "fresh", tmp_path / "known"
    known.touch()
    known.chmod(0o640)

    write_atomically(fresh, b"")
    write_atomically(known, b"")

    assert (mode(fresh), mode(known)) == (0o600, 0o640)


def test_a_file_that_may_only_be_read_can_be_replaced_by_any_account(tmp_path: Path) -> None:
    target = tmp_path / "note"
    target.touch(0o400)

    with atomic_file(target) as partial:
        writable = mode(partial)

    assert (writable, mode(target)) == (0o600, 0o400)


@pytest.mark.parametrize("setting", ["STORAGE_DIR", "BACKUP_DIR"])
def test_a_full_disk_is_one_sentence_that_names_the_setting_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setattr(os, "fsync", fill_disk)

    with pytest.raises(SessionError, match="no space left on device") as caught:
        write_atomically(tmp_path / "note", b"new", setting=setting)

    assert is_one_sentence(str(caught.value))
    assert str(tmp_path) in str(caught.value)
    assert f"set {setting} to another one" in str(caught.value)


def test_posts_that_cannot_be_noted_are_an_error_that_names_the_folder_of_backups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", fill_disk)
    post = NotedPost(message_id=10**17, channel_id=10**17, guild_id=None, author_id=None)

    with pytest.raises(SessionError, match="set BACKUP_DIR to another one"):
        note_posts(tmp_path / "posts.jsonl", [post])


# --- Folders


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "copy"

    with atomic_directory(target) as partial:
        (partial / "part").mkdir()
        assert not target.exists()

    assert mode(target) == 0o700
    assert [path.name for path in tmp_path.rglob("*")] == ["copy", "part"]


def test_a_folder_that_could_not_be_filled_is_gone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no more"), atomic_directory(tmp_path / "copy") as partial:
        fail_at((partial / "part").write_bytes(b""))

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_of_a_folder_is_not_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copy"
    with monkeypatch.context() as dying:
        dying.setattr(shutil, "rmtree", lambda *_, **__: None)  # nobody tidies up after a kill
        with pytest.raises(Killed), atomic_directory(target) as partial:
            kill((partial / "left over").write_bytes(b""))
    assert partial.exists()

    with atomic_directory(target) as partial:
        (partial / "part").touch()

    assert [path.name for path in target.iterdir()] == ["part"]


def test_a_folder_of_that_name_is_never_replaced(tmp_path: Path) -> None:
    target = tmp_path / "copy"

    with pytest.raises(FileExistsError), atomic_directory(target):
        target.mkdir()

    assert list(tmp_path.iterdir()) == [target]


def test_every_folder_is_on_the_disk_before_the_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    monkeypatch.setattr(files, "sync_folder", lambda folder: synced.append((folder.name, (tmp_path / "copy").exists())))

    with atomic_directory(tmp_path / "copy") as partial:
        (partial / "part").mkdir()
    with atomic_directory(tmp_path / "other", durable=False):
        pass

    assert synced == [(partial.name, False), ("part", False), (tmp_path.name, True)]


# --- Compressed files


def read(path: Path) -> bytes:
    with open_decompressed(path) as file:
        return file.read()


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        pytest.param("rows.csv", bytes, id="plain"),
        pytest.param("rows.csv.zst", zstandard.compress, id="compressed"),
        pytest.param(
            "rows.csv.zst",
            lambda content: zstandard.compress(content[:999]) + zstandard.compress(content[999:]),
            id="in several frames",
        ),
        pytest.param("rows.csv.zst", lambda content: zstandard.compress(b"") + zstandard.compress(content), id="empty"),
    ],
)
def test_a_whole_file_is_read_whole(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / name).write_bytes(pack(CONTENT))

    assert read(tmp_path / name) == CONTENT


@pytest.mark.parametrize("frames", [1, 2])
def test_a_compressed_file_that_is_cut_off_anywhere_is_noticed(tmp_path: Path, frames: int) -> None:
    path = tmp_path / "rows.csv.zst"
    frame = zstandard.ZstdCompressor(write_checksum=True).compress(CONTENT)
    whole = frame * frames
    for end in range(1, len(whole)):
        if end == len(frame):  # the first frame alone is a whole file, too
            continue
        path.write_bytes(whole[:end])

        with pytest.raises(InputFileError, match="cut off before its end: take another copy"):
            read(path)


def test_a_compressed_file_that_is_none_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.zst"
    path.write_bytes(CONTENT)

    with pytest.raises(InputFileError, match="damaged or not compressed by zstd: take another copy") as caught:
        read(path)

    assert is_one_sentence(str(caught.value).replace(path.name, "the file"))


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"cannot be read \(no such file or directory\): correct the path"):
        read(tmp_path / "nowhere.zst")


@pytest.fixture
def swelling(tmp_path: Path) -> Path:
    """Return a file of ten thousand bytes that becomes three hundred million when it is decompressed."""
    path = tmp_path / "rows.csv.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file, closefd=False) as compressing:
        for _ in range(300):
            compressing.write(bytes(2**20))
    assert path.stat().st_size < 2**16
    return path


def test_a_small_file_that_becomes_very_large_is_read_in_little_memory(swelling: Path) -> None:
    length = 0
    tracemalloc.start()
    try:
        with open_decompressed(swelling) as plain:
            while block := plain.read(2**20):
                length += len(block)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert length == 300 * 2**20
    assert peak < 2**27


@pytest.mark.timeout(60)  # to copy the rest of a piece for every 8 KiB takes a quarter of an hour
def test_a_small_file_that_becomes_very_large_is_read_in_little_time(swelling: Path) -> None:
    length = 0
    with swelling.open("rb") as file, decompress(file, swelling) as plain:
        while block := plain.read(2**13):
            length += len(block)

    assert length == 300 * 2**20


def test_reading_reports_how_far_the_file_on_the_disk_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.zst"
    path.write_bytes(zstandard.compress(os.urandom(3 * 2**20)))
    heard: list[int] = []

    with open_decompressed(path, heard.append) as file:
        file.read()

    assert heard == sorted(heard)
    assert heard[-1] == path.stat().st_size
    assert len(set(heard)) > 2
