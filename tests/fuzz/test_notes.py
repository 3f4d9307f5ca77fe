"""What stands in the storage and backup folders, in settings and addresses may be anything: it ends in a sentence."""

import json
import os
import pickle
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from db.addresses import libpq_address
from db.databases import LONG_TERM, SHORT_TERM
from db.engines import parse_dsn
from errors import DatabaseSetupError, InputFileError, OperatorError, SessionError, SettingsError
from ops.backup.catalogue import Backup, next_folder, series_of, valid_name, verified_of
from ops.backup.formats import Format
from ops.backup.manifest import DatabaseEntry, FileEntry, Manifest, TableEntry, read_manifest
from ops.backup.retention import RetentionPolicy, kept_names
from settings import Settings, read_settings
from storage.session_names import (
    CURRENT_SESSION_FILE,
    NUMBERS_FILE,
    read_file_num_pkl,
    split_stem,
    update_file_num_pkl,
    valid_file_name,
)
from storage.sessions import choose_session, open_session_folder, remember_session, remembered_session
from tests.backup_builders import backup_of, database_entry
from tests.fuzz.limits import in_time
from tests.fuzz.strategies import (
    damaged,
    damages,
    dsns,
    edited,
    hostile_json,
    hostile_values,
    moments,
    names,
    paths,
    pieces,
    secrets,
    texts,
    values_of_settings,
    zones,
)
from tests.sentences import is_one_sentence

TODAY = date(2026, 11, 3)
LONGEST_FILE_NAME = 255  # bytes, on most systems


@contextmanager
def folder_of(files: dict[str, bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        yield Path(folder)


# ---- sessions


@given(texts | names)
def test_a_session_name_is_a_folder_inside_of_its_folder_or_refused(text: str) -> None:
    with in_time(len(text)):
        try:
            name = valid_file_name(text)
        except SessionError as error:
            assert str(error).endswith(".")
            assert "\n" not in str(error)
            return

    assert valid_file_name(name) == name
    assert Path("/storage", name).parent == Path("/storage")
    assert os.path.normpath(f"/storage/{name}") == f"/storage/{name}"
    assert len(f"{name}_2026-11-03_{10**6}_not_added.csv".encode()) <= LONGEST_FILE_NAME
    assert split_stem(name, f"{name}_2026-11-03_7") == (f"{name}_2026-11-03", 7)


@given(names, texts)
def test_any_stem_is_split_or_is_of_another_session(name: str, stem: str) -> None:
    with in_time(len(name) + len(stem)):
        for whole in (stem, f"{name}{stem}", f"{name}_{stem}"):
            found = split_stem(name, whole)
            assert found is None or whole.startswith(found[0])


@given(texts | names, st.booleans(), st.booleans())
def test_a_session_is_made_and_remembered_or_refused(name: str, add_date: bool, add_number: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        storage = Path(folder)
        try:
            session = choose_session(storage, name=name, add_date=add_date, add_number=add_number, today=TODAY)
        except SessionError:
            assert list(storage.iterdir()) == []
            return
        open_session_folder(session)
        remember_session(storage, session)

        assert remembered_session(storage) == session
        assert session.folder.resolve().parent == storage.resolve()


note = st.one_of(
    st.builds(lambda name, stem: json.dumps({"name": name, "stem": stem}).encode(), texts, texts),
    hostile_json.map(lambda text: text.encode("utf-8", "surrogatepass")),
    hostile_json.map(lambda text: f'{{"name": {text}, "stem": {text}}}'.encode("utf-8", "surrogatepass")),
    st.builds(lambda digits: json.dumps({"name": "demo", "stem": f"demo_{digits}"}).encode(), st.just("9" * 5_000)),
    st.binary(max_size=200),
)


@given(note)
def test_any_note_of_the_current_session_names_one_or_is_ignored(content: bytes) -> None:
    with folder_of({CURRENT_SESSION_FILE: content}) as storage, in_time(len(content)):
        session = remembered_session(storage)

        assert session is None or session.folder.parent == storage


class Called:
    """Makes a folder when it is unpickled by a reader that trusts it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("called",)


def nested(depth: int) -> bytes:
    return b"\x80\x04})" + b"\x85" * depth + b"K\x01s."


pickles = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda numbers, damage, protocol: damaged(pickle.dumps(numbers, protocol), damage),
        st.dictionaries(st.tuples(names, names), st.integers(-5, 2**70), max_size=4),
        damages,
        st.integers(0, 5),
    ),
    st.builds(
        lambda value: pickle.dumps({("demo", "demo"): value}),
        st.one_of(texts, st.just(Called()), st.floats(), st.booleans(), st.lists(st.integers(), max_size=3)),
    ),
    st.sampled_from([10, 1_000, 200_000]).map(nested),
    st.sampled_from([b"\x80\x04}r\xff\xff\x0f\x00.", b"I" + b"9" * 5_000 + b"\n.", b"(" * 100_000 + b"."]),
)


@given(pickles)
def test_any_pickle_of_numbers_is_read_or_rebuilt_and_never_called(content: bytes) -> None:
    with folder_of({NUMBERS_FILE: content, "demo_3.csv": b""}) as folder, in_time(len(content)):
        numbers = read_file_num_pkl(folder)

        assert all(number >= 0 for number in numbers.values())
        assert not Path("called").exists()
        assert not (folder / "called").exists()


@given(st.dictionaries(names.filter(lambda name: name.isprintable() and "/" not in name), st.integers(1, 10**9)))
def test_the_numbers_of_a_folder_are_those_of_its_files(numbers: dict[str, int]) -> None:
    with tempfile.TemporaryDirectory() as storage:
        folder = Path(storage) / "demo"
        folder.mkdir()
        for number in numbers.values():
            (folder / f"demo_{number}.csv").touch()

        assert update_file_num_pkl(folder) == read_file_num_pkl(folder)
        assert read_file_num_pkl(folder).get(("demo", "demo"), 0) == max(numbers.values(), default=0)


# ---- backups


def manifest_of(name: str) -> dict[str, Any]:
    file = FileEntry(path="short_term/messages.csv.zst", size=9, sha256="0" * 64)
    table = TableEntry(
        name="messages", columns={"message_id": "bigint"}, rows=1, checksum="1", files={Format.CSV: file}
    )
    moment = datetime(2026, 11, 3, tzinfo=UTC)
    database = DatabaseEntry(
        name=SHORT_TERM,
        server_version="18",
        extensions={"vector": "0.8"},
        schema_revision="0006",
        embedding_model="m",
        dimensions=3,
        session="demo",
        first_message=moment,
        last_message=moment,
        tables=[table],
    )
    whole = Manifest(name=name, created_at=moment, formats=[Format.CSV], databases=[database])
    loaded: dict[str, Any] = json.loads(whole.model_dump_json())
    return loaded


@given(paths, hostile_values, damages | st.none())
def test_a_manifest_of_anybody_is_read_or_refused(
    path: list[int], value: Any, damage: tuple[str, float, bytes] | None
) -> None:
    content = json.dumps(edited(manifest_of("all_2026-11-03_1"), path, value)).encode()
    content = damaged(content, damage) if damage else content

    with folder_of({"manifest.json": content, "verified.json": content}) as folder, in_time(len(content)):
        assert verified_of(folder) is None
        try:
            manifest = read_manifest(folder)
        except InputFileError as error:
            assert is_one_sentence(str(error).replace(str(folder), "FOLDER"))
            return

    assert manifest.size >= 0
    assert all(isinstance(file.path, str) for file in manifest.files)


@given(hostile_json)
def test_any_json_in_the_place_of_a_manifest_is_read_or_refused(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    with folder_of({"manifest.json": content}) as folder, in_time(len(text)), suppress(InputFileError):
        read_manifest(folder)


shown_anywhere = moments.filter(lambda moment: 1971 <= moment.year < 9999)  # `read_manifest` refuses others
SHORT, LONG = database_entry(SHORT_TERM), database_entry(LONG_TERM)
PARQUET = database_entry(LONG_TERM, dumped=False)
several = st.lists(
    st.builds(
        lambda number, created_at, databases: backup_of(f"all_2026-11-03_{number}", created_at, databases),
        st.integers(1, 50),
        shown_anywhere,
        st.sampled_from([[SHORT], [LONG], [PARQUET], [SHORT, LONG], [SHORT, PARQUET]]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda one: one.name,
)


@given(several, st.integers(0, 5), st.integers(0, 5), zones)
def test_the_newest_backup_of_each_purpose_is_always_kept(
    backups: list[Backup], daily: int, weekly: int, time_zone: ZoneInfo
) -> None:
    names = kept_names(backups, RetentionPolicy(daily, weekly), time_zone)

    for purpose in (SHORT, LONG, PARQUET):
        serving = [one for one in backups if purpose in one.manifest.databases]
        if serving:
            assert max(serving, key=lambda one: (one.manifest.created_at, one.name)).name in names
    assert names <= {one.name for one in backups}


@given(texts | names, st.lists(names, max_size=5))
def test_a_backup_has_a_name_of_its_own_or_is_refused(name: str, taken: list[str]) -> None:
    with in_time(len(name)):
        try:
            series = valid_name(name)
        except OperatorError:
            return
        folder = next_folder(series, TODAY, [*taken, f"{series}_{TODAY:%Y-%m-%d}_3"])

    assert folder not in taken
    assert series_of(folder) == series


# ---- settings and addresses

_NAMES = sorted(name.upper() for name in Settings.model_fields)
_SECRET = {"DISCORD_TOKEN", "SHORT_TERM_DSN", "LONG_TERM_DSN", "DB_PASSWORD", "OPENAI_API_KEY", "HF_TOKEN"}


@contextmanager
def settings_of(environment: dict[str, str], *, env_file: Path | None = None) -> Iterator[None]:
    """Let nothing but this environment and this file have settings."""
    with patch.dict(os.environ, environment, clear=True), patch.dict(Settings.model_config, {"env_file": env_file}):
        yield


@given(st.dictionaries(st.sampled_from(_NAMES), values_of_settings, max_size=6), secrets)
def test_settings_of_anybody_are_read_or_refused_without_a_secret(values: dict[str, str], secret: str) -> None:
    told = {name: f"{value}{secret}" if name in _SECRET and value else value for name, value in values.items()}
    environment = {os.fsdecode(os.fsencode(name)): value for name, value in told.items() if is_possible(value)}

    with settings_of(environment), in_time(sum(map(len, told.values()))):
        try:
            settings = read_settings()
        except SettingsError as error:
            assert secret not in str(error)
            assert any(name in str(error) for name in environment)
            return

    assert secret not in repr(settings)


def is_possible(value: str) -> bool:
    """Return whether a system can hand a text over as a setting."""
    try:
        return b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


@given(st.binary(max_size=300) | pieces.map(lambda text: text.encode("utf-8", "surrogatepass")), secrets)
def test_any_env_file_is_read_or_refused(content: bytes, secret: str) -> None:
    whole = content + b"\nDISCORD_TOKEN=" + secret.encode()
    with folder_of({".env": whole}) as folder, settings_of({}, env_file=folder / ".env"), in_time(len(content)):
        try:
            read_settings()
        except SettingsError as error:
            assert secret not in str(error)


@given(dsns)
def test_an_address_is_understood_or_refused_without_its_password(dsn: tuple[str, str]) -> None:
    address, password = dsn
    assume(password in address)

    with in_time(len(address)):
        try:
            url = parse_dsn(address, name="SHORT_TERM_DSN")
        except DatabaseSetupError as error:
            assert password not in str(error)
            assert is_one_sentence(str(error).replace("host:5432/database", ""))
            return

    assert password not in repr(url) or url.password != password
    assert libpq_address(url).encode()
