"""Session folders on a real disk, the lock against real processes, services against real signals."""

import asyncio
import logging
import os
import pickle
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from errors import SessionError, SessionInUseError
from storage import sessions
from storage.session_names import read_file_num_pkl, update_file_num_pkl
from storage.sessions import (
    ProgramSession,
    choose_session,
    open_session_folder,
    remember_session,
    remembered_session,
    session_lock,
)
from util_async import run_until_first_ends

TODAY = date(2026, 11, 21)
PROJECT = Path(__file__).parents[2]


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    return tmp_path / "storage"


@pytest.fixture
def folder(storage: Path) -> Path:
    """The folder of the session name `demo`."""
    folder = storage / "demo"
    folder.mkdir(parents=True)
    return folder


def put_files(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def choose(storage: Path, name: str | None = "demo", *, dated: bool = False, numbered: bool = False) -> ProgramSession:
    return choose_session(storage, name=name, add_date=dated, add_number=numbered, today=TODAY)


# Numbers


@pytest.mark.parametrize(
    ("files", "numbers"),
    [
        pytest.param(["demo_7.csv"], {"demo": 7}, id="a lone 7 counts as 7"),
        pytest.param(["demo_10.csv", "demo_9.csv"], {"demo": 10}, id="10 is more than 9"),
        pytest.param(["demo_4_not_added.csv"], {"demo": 4}, id="a not-added file counts"),
        pytest.param(["demo.csv"], {}, id="no number makes no entry"),
        pytest.param(["demo_2026-11-21.csv"], {}, id="a date is no number"),
        pytest.param(
            ["demo_2026-11-21_2.csv", "demo_2026-11-22_1.csv", "demo_5.csv"],
            {"demo_2026-11-21": 2, "demo_2026-11-22": 1, "demo": 5},
            id="each date has numbers of its own",
        ),
        pytest.param(["other_9.csv", "demo_8.txt", "demonstration_8.csv"], {}, id="other files do not matter"),
    ],
)
def test_numbers_are_rebuilt_from_the_names_of_the_files(
    folder: Path, files: list[str], numbers: dict[str, int]
) -> None:
    put_files(folder, *files)

    rebuilt = update_file_num_pkl(folder)

    assert rebuilt == {("demo", stem): number for stem, number in numbers.items()}
    assert pickle.loads((folder / "file_numbers.pkl").read_bytes()) == rebuilt  # noqa: S301  # our own bytes


@pytest.mark.parametrize("listed", [["demo_2.csv", "demo_10.csv"], ["demo_10.csv", "demo_2.csv"]], ids=["up", "down"])
def test_the_order_in_which_the_disk_lists_the_files_does_not_matter(
    folder: Path, listed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "iterdir", lambda path: (path / name for name in listed))

    assert update_file_num_pkl(folder) == {("demo", "demo"): 10}


def test_rebuilding_leaves_no_unfinished_file(folder: Path) -> None:
    put_files(folder, "demo_1.csv")

    update_file_num_pkl(folder)

    assert {path.name for path in folder.iterdir()} == {"demo_1.csv", "file_numbers.pkl"}


def test_a_rebuild_that_fails_leaves_the_old_pickle_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_files(folder, "demo_1.csv")
    update_file_num_pkl(folder)
    old = (folder / "file_numbers.pkl").read_bytes()
    put_files(folder, "demo_2.csv")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)

    with pytest.raises(SessionError, match="no space left on device"):
        update_file_num_pkl(folder)
    assert (folder / "file_numbers.pkl").read_bytes() == old
    assert {path.name for path in folder.iterdir()} == {"demo_1.csv", "demo_2.csv", "file_numbers.pkl"}


@pytest.mark.parametrize(
    ("in_pickle", "on_disk", "read"),
    [
        pytest.param(3, "demo_8.csv", 8, id="the folder wins when it has more"),
        pytest.param(8, "demo_3.csv", 8, id="a number whose files are gone stays taken"),
    ],
)
def test_the_larger_number_counts(folder: Path, in_pickle: int, on_disk: str, read: int) -> None:
    (folder / "file_numbers.pkl").write_bytes(pickle.dumps({("demo", "demo"): in_pickle}))
    put_files(folder, on_disk)

    assert read_file_num_pkl(folder) == {("demo", "demo"): read}


class Hostile:
    """Makes a folder when it is unpickled by a reader that trusts it."""

    def __init__(self, trap: Path) -> None:
        self.trap = trap

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.trap),)


def test_a_hostile_pickle_is_rebuilt_and_never_executed(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trap = tmp_path / "executed"
    (folder / "file_numbers.pkl").write_bytes(pickle.dumps({("demo", "demo"): Hostile(trap)}))
    put_files(folder, "demo_2.csv")

    numbers = read_file_num_pkl(folder)

    assert not trap.exists()
    assert numbers == {("demo", "demo"): 2}
    assert "is rebuilt from the names of the files" in caplog.text
    assert pickle.loads((folder / "file_numbers.pkl").read_bytes()) == numbers  # noqa: S301  # our own bytes


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(pickle.dumps({("demo", "demo"): 9})[:-4], id="cut short"),
        pytest.param(b"\x80\x04garbage", id="garbage"),
        pytest.param(pickle.dumps([("demo", "demo", 9)]), id="a list"),
        pytest.param(pickle.dumps({"demo": 9}), id="a key without the folder"),
        pytest.param(pickle.dumps({("demo", "demo", "demo"): 9}), id="a key of three"),
        pytest.param(pickle.dumps({("demo", 1): 9}), id="a key that is no text"),
        pytest.param(pickle.dumps({("demo", "demo"): "9"}), id="a number as text"),
        pytest.param(pickle.dumps({("demo", "demo"): 9.0}), id="a fraction"),
        pytest.param(pickle.dumps({("demo", "demo"): True}), id="a truth value"),
        pytest.param(pickle.dumps({("demo", "demo"): -9}), id="a negative number"),
        pytest.param(b"\x80\x04})" + b"\x85" * 500_000 + b"K\x01s.", id="a key of half a million tuples in each other"),
        pytest.param(b"\x80\x04}" + b"r\xff\xff\xff\x01" + b".", id="a place in a list of 33 million"),
        pytest.param(b"\x80\x04}" + b"q\x00h\x07.", id="a place that is not there"),
    ],
)
def test_a_pickle_that_holds_anything_else_is_rebuilt(
    folder: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "file_numbers.pkl").write_bytes(content)
    put_files(folder, "demo_2.csv")

    assert read_file_num_pkl(folder) == {("demo", "demo"): 2}
    assert "is rebuilt" in caplog.text


@pytest.mark.parametrize("protocol", [4, 5])
def test_numbers_that_any_version_of_python_has_pickled_are_read(folder: Path, protocol: int) -> None:
    numbers = {("demo", f"demo_{day}"): number for day, number in enumerate([1, 300, 70_000, 2**40] * 300)}
    numbers |= {("demo", "demo"): 5, ("x" * 64, "é" * 300): 2}
    (folder / "file_numbers.pkl").write_bytes(pickle.dumps(numbers, protocol))

    assert read_file_num_pkl(folder) == numbers


def test_a_missing_pickle_is_made_without_alarm(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    put_files(folder, "demo_2.csv")

    assert read_file_num_pkl(folder) == {("demo", "demo"): 2}
    assert (folder / "file_numbers.pkl").exists()
    assert not caplog.records


# Choosing


@pytest.mark.parametrize(
    ("dated", "numbered", "stem"),
    [
        pytest.param(False, False, "demo", id="the name alone"),
        pytest.param(True, False, "demo_2026-11-21", id="with the date"),
        pytest.param(False, True, "demo_1", id="with a number"),
        pytest.param(True, True, "demo_2026-11-21_1", id="with both"),
    ],
)
def test_the_answers_make_the_stem(storage: Path, *, dated: bool, numbered: bool, stem: str) -> None:
    session = choose(storage, dated=dated, numbered=numbered)

    assert session == ProgramSession("demo", stem, storage / "demo")
    assert not storage.exists()


def test_each_new_session_takes_the_next_number(storage: Path) -> None:
    put_files(storage / "demo", "demo_7.csv", "demo_2026-11-21_3.csv")

    assert choose(storage, numbered=True).stem == "demo_8"
    assert choose(storage, numbered=True, dated=True).stem == "demo_2026-11-21_4"


def test_a_number_is_taken_as_soon_as_the_folder_is_open(storage: Path) -> None:
    stems = []
    for _ in range(3):
        session = choose(storage, numbered=True)
        open_session_folder(session)
        stems.append(session.stem)

    assert stems == ["demo_1", "demo_2", "demo_3"]


def test_without_a_number_the_same_session_goes_on(storage: Path) -> None:
    first = choose(storage, dated=True)
    open_session_folder(first)
    put_files(first.folder, first.journal_path.name)

    assert choose(storage, dated=True) == first


@pytest.mark.parametrize("name", [None, "", "  "])
def test_an_empty_name_becomes_a_random_one_that_is_not_in_use(
    storage: Path, name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter(["quiet-harbour-42", "calm-otter-10"])
    monkeypatch.setattr(sessions, "random_session_name", lambda: next(drawn))
    put_files(storage / "quiet-harbour-42")

    assert choose(storage, name).stem == "calm-otter-10"


def test_a_stem_that_another_folder_uses_is_refused(storage: Path) -> None:
    put_files(storage / "demo", "demo_7.csv")

    with pytest.raises(SessionError, match=r"already has a file demo_7\.csv: choose another"):
        choose(storage, "demo_7")


def test_a_number_whose_stem_another_folder_uses_is_skipped(storage: Path) -> None:
    put_files(storage / "demo_1", "demo_1.csv")

    assert choose(storage, numbered=True).stem == "demo_2"


def test_a_name_with_characters_of_patterns_is_looked_up_as_it_is(storage: Path) -> None:
    put_files(storage / "other", "a.csv")

    assert choose(storage, "[a]").stem == "[a]"


# Opening


def test_the_folder_is_private_and_holds_the_numbers(storage: Path) -> None:
    session = choose(storage, numbered=True)

    open_session_folder(session)

    assert stat.S_IMODE(session.folder.stat().st_mode) == 0o700
    assert [path.name for path in session.folder.iterdir()] == ["file_numbers.pkl"]
    assert read_file_num_pkl(session.folder) == {("demo", "demo"): 1}


def test_opening_an_old_session_again_does_not_lower_its_number(storage: Path) -> None:
    put_files(storage / "demo", "demo_5.csv")

    open_session_folder(ProgramSession("demo", "demo_2", storage / "demo"))

    assert read_file_num_pkl(storage / "demo") == {("demo", "demo"): 5}


def test_a_file_in_place_of_the_folder_is_named_to_the_operator(storage: Path) -> None:
    put_files(storage, "demo")

    with pytest.raises(SessionError) as refusal:
        open_session_folder(choose(storage))

    assert f"The folder {storage / 'demo'} cannot be used (" in str(refusal.value)
    assert "set STORAGE_DIR to another" in str(refusal.value)
    assert str(refusal.value).isprintable()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_named_to_the_operator(folder: Path) -> None:
    folder.chmod(0o500)

    with pytest.raises(SessionError, match="permission denied"):
        open_session_folder(ProgramSession("demo", "demo", folder))


# Remembering


def test_the_current_session_is_remembered(storage: Path) -> None:
    session = choose(storage, dated=True, numbered=True)
    open_session_folder(session)

    remember_session(storage, session)

    assert remembered_session(storage) == session
    assert {path.name for path in storage.iterdir()} == {"demo", "current_session.json"}


def test_before_the_first_session_none_is_remembered(storage: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert remembered_session(storage) is None
    assert not caplog.records


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"name": "demo"', id="cut short"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[" * 100_000, id="nested without end"),
        pytest.param(b'["demo", "demo"]', id="a list"),
        pytest.param(b'{"name": "demo", "stem": 1}', id="a stem that is no text"),
        pytest.param(b'{"name": "../demo", "stem": "../demo"}', id="a name that leads elsewhere"),
        pytest.param(b'{"name": "demo", "stem": "../../etc/passwd"}', id="a stem that leads elsewhere"),
        pytest.param(b'{"name": "demo", "stem": "other_1"}', id="a stem of another session"),
    ],
)
def test_a_damaged_note_is_ignored_with_one_log_line(
    storage: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    storage.mkdir()
    (storage / "current_session.json").write_bytes(content)

    assert remembered_session(storage) is None

    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().isprintable()


# The lock

HOLDER = """
import sys
from pathlib import Path
from typing import Any
from storage.sessions import session_lock

with session_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process_holding(storage: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that holds the lock until its standard input ends."""
    command = [sys.executable, "-c", HOLDER, str(storage)]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_process_is_told_who_holds_the_folder_and_what_to_do(storage: Path) -> None:
    with (
        other_process_holding(storage) as process,
        pytest.raises(SessionInUseError) as refusal,
        session_lock(storage),
    ):
        pytest.fail("two processes hold the lock")

    assert f"(process {process.pid}) runs on the storage folder {storage}: stop it first" in str(refusal.value)


def test_a_refused_process_does_not_disturb_the_holder(storage: Path) -> None:
    with other_process_holding(storage) as process:
        for _ in range(2):
            with pytest.raises(SessionInUseError, match=f"process {process.pid}"), session_lock(storage):
                pytest.fail("two processes hold the lock")


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"not a number"])
def test_a_holder_whose_pid_is_not_known_is_reported_without_it(storage: Path, content: bytes | None) -> None:
    with session_lock(storage):
        (storage / ".lock.pid").unlink()
        if content is not None:
            (storage / ".lock.pid").write_bytes(content)

        with pytest.raises(SessionInUseError, match="Another Backscroll runs on"), session_lock(storage):
            pytest.fail("the lock is held twice")


def test_the_lock_is_free_after_a_kill(storage: Path) -> None:
    with other_process_holding(storage) as process:
        process.kill()
        process.wait(timeout=30)

        with session_lock(storage):
            assert (storage / ".lock.pid").read_text() == str(os.getpid())


def test_the_lock_is_free_after_its_block_even_when_that_fails(storage: Path) -> None:
    with pytest.raises(RuntimeError, match="the bot failed"), session_lock(storage):
        raise RuntimeError("the bot failed")

    assert not (storage / ".lock.pid").exists()
    with session_lock(storage):
        assert (storage / ".lock.pid").exists()


def test_a_storage_folder_that_is_a_file_is_named_to_the_operator(storage: Path) -> None:
    storage.touch()

    with pytest.raises(SessionError, match=f"The folder {storage} cannot be used"), session_lock(storage):
        pytest.fail("a file was locked as a folder")


# Services


class Service:
    """Runs until it is cancelled, and takes some turns of the loop to put things away."""

    def __init__(self) -> None:
        self.tidy = False

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(3):
                await asyncio.sleep(0)
            self.tidy = True


async def ends() -> None:
    """End at once."""


async def fails(error: BaseException) -> None:
    raise error


async def fails_when_cancelled(error: Exception) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        raise error


async def test_a_service_that_ends_stops_the_others_and_waits_for_them() -> None:
    first, second = Service(), Service()

    await run_until_first_ends(first.run(), ends(), second.run())

    assert first.tidy
    assert second.tidy


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_all_services(number: signal.Signals) -> None:
    service = Service()

    async def sends_the_signal() -> None:
        os.kill(os.getpid(), number)
        await asyncio.Event().wait()

    await run_until_first_ends(service.run(), sends_the_signal())

    assert service.tidy


@pytest.fixture
def closed_terminal() -> Iterator[signal.Signals]:
    """The signal of a terminal that is closed, which ends a program as long as nothing else is said."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield signal.SIGHUP
    signal.signal(signal.SIGHUP, before)


async def test_a_terminal_that_is_closed_stops_all_services(closed_terminal: signal.Signals) -> None:
    await test_a_signal_stops_all_services(closed_terminal)

    assert signal.getsignal(closed_terminal) is signal.SIG_DFL


async def test_a_terminal_that_is_closed_stops_nothing_under_nohup(closed_terminal: signal.Signals) -> None:
    signal.signal(closed_terminal, signal.SIG_IGN)
    ended = False

    async def goes_on() -> None:
        nonlocal ended
        os.kill(os.getpid(), closed_terminal)
        await asyncio.sleep(0.1)
        ended = True

    await run_until_first_ends(goes_on())

    assert ended


async def test_the_stop_event_stops_all_services() -> None:
    service, stop = Service(), asyncio.Event()

    async def asks_to_stop() -> None:
        stop.set()
        await asyncio.Event().wait()

    await run_until_first_ends(service.run(), asks_to_stop(), stop=stop)

    assert service.tidy


async def test_the_only_exception_is_raised_as_it_is() -> None:
    service, error = Service(), SessionError("the disk is full")
    error.__cause__ = OSError("no space")

    with pytest.raises(SessionError) as raised:
        await run_until_first_ends(service.run(), fails(error))

    assert raised.value is error
    assert isinstance(error.__cause__, OSError)
    assert error.__context__ is None
    assert service.tidy


async def test_a_failure_while_stopping_is_not_swallowed() -> None:
    with pytest.raises(RuntimeError, match="could not be put away"):
        await run_until_first_ends(ends(), fails_when_cancelled(RuntimeError("could not be put away")))


async def test_several_exceptions_are_raised_as_a_group() -> None:
    first, second = ValueError("first"), ValueError("second")

    with pytest.raises(ExceptionGroup) as raised:
        await run_until_first_ends(fails(first), fails_when_cancelled(second))

    assert raised.value.exceptions == (first, second)


@pytest.mark.parametrize("service", [ends, lambda: fails(ValueError())], ids=["after an end", "after a failure"])
async def test_the_signal_handlers_are_put_back(service: Callable[[], Coroutine[Any, Any, None]]) -> None:
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in signals]

    with suppress(ValueError):
        await run_until_first_ends(service())

    assert [signal.getsignal(number) for number in signals] == before
    loop = asyncio.get_running_loop()
    assert not any(loop.remove_signal_handler(number) for number in signals)


async def test_cancelling_the_caller_cancels_the_services() -> None:
    service = Service()
    caller = asyncio.current_task()
    assert caller is not None

    async def cancels_the_caller() -> None:
        caller.cancel()
        await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        await run_until_first_ends(service.run(), cancels_the_caller())

    assert service.tidy
