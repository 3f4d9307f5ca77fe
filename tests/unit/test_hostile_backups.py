"""Whatever lies in the folder of backups, it is told in one sentence, and nothing elsewhere is read or removed."""

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cli.commands.backup_list import line_of
from errors import OperatorError
from ops.backup.catalogue import find_backup, list_backups
from ops.backup.manifest import MANIFEST, VERIFIED
from ops.backup.retention import RetentionPolicy, prune
from ops.backup.verify import verify
from tests.sentences import is_one_sentence
from util_async import no_progress

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ZONES = [ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")]
CONTENT = b"message_id\n1\n"
NAME = "nightly_2026-11-21_1"

Json = dict[str, Any]


def manifest_of(name: str) -> Json:
    file = {"path": "long_term/messages.csv", "size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
    table = {
        "name": "messages",
        "columns": {"message_id": "bigint"},
        "rows": 1,
        "checksum": "1",
        "files": {"csv": file},
    }
    database: Json = {
        "name": "long-term",
        "server_version": "18.1",
        "extensions": {},
        "schema_revision": "0001",
        "embedding_model": None,
        "dimensions": 3,
        "session": None,
        "first_message": None,
        "last_message": None,
        "tables": [table],
    }
    return {
        "version": 1,
        "name": name,
        "created_at": f"{name[8:18]}T03:00:00Z",
        "formats": ["csv"],
        "databases": [database],
    }


def make(backup_dir: Path, name: str = NAME) -> Path:
    """Make a small backup by hand."""
    folder = backup_dir / name
    (folder / "long_term").mkdir(parents=True)
    (folder / "long_term" / "messages.csv").write_bytes(CONTENT)
    (folder / MANIFEST).write_text(json.dumps(manifest_of(name)), encoding="utf-8")
    return folder


def use(backup_dir: Path, name: str = NAME) -> str | None:
    """Look at a backup in every way; return why it is refused."""
    listed = list_backups(backup_dir)
    for zone in ZONES:
        for backup in listed.backups:
            line_of(backup, zone)
    assert all(is_one_sentence(sentence) for sentence in listed.unreadable.values())
    for dry_run in (True, False):
        asyncio.run(prune(backup_dir, RetentionPolicy(0, 0), ZONES[0], now=NOW, report=no_progress, dry_run=dry_run))
    said = refusal(backup_dir, name)
    assert said is None or is_one_sentence(said)
    return said


def refusal(backup_dir: Path, name: str) -> str | None:
    """Return why a backup fails to verify."""
    try:
        found = find_backup(backup_dir, name)
        asyncio.run(verify(found.folder, found.manifest, now=NOW, report=no_progress))
    except OperatorError as error:
        return str(error)
    return None


def test_one_that_is_well_is_well(tmp_path: Path) -> None:
    make(tmp_path)

    assert use(tmp_path) is None


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value of a JSON document."""
    yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else []):
        yield from places(part, (*path, key))


STRANGE: list[Any] = [
    None,
    [],
    {},
    "",
    "x\n\x1b[2J",
    -1,
    2**63,
    True,
    [[]],
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
]


@pytest.mark.parametrize("strange", STRANGE, ids=repr)
def test_a_manifest_with_something_else_in_any_of_its_places_raises_nothing_else(tmp_path: Path, strange: Any) -> None:
    for number, place in enumerate(places(manifest_of(NAME))):
        folder = make(tmp_path / str(number))
        manifest: Any = {"": manifest_of(NAME)}
        inner, way = manifest, ("", *place)
        for key in way[:-1]:
            inner = inner[key]
        inner[way[-1]] = strange
        (folder / MANIFEST).write_text(json.dumps(manifest[""]), encoding="utf-8")

        use(tmp_path / str(number))


@pytest.mark.parametrize("name", [MANIFEST, VERIFIED])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[" * 1_000_000, id="deep"),
        pytest.param(b'{"a":' * 100_000, id="deep objects"),
        pytest.param(b'{"version": ' + b"9" * 100_000 + b"}", id="a long number"),
        pytest.param(b" " * (17 << 20) + b"{}", id="long"),
        pytest.param(b"\xff\xfe{}", id="no text"),
        pytest.param(b'{"name": "\\ud800"}', id="half a letter"),
        pytest.param(b"", id="empty"),
    ],
)
def test_notes_that_are_none_are_told_or_count_for_nothing(tmp_path: Path, name: str, content: bytes) -> None:
    (make(tmp_path) / name).write_bytes(content)

    assert (use(tmp_path) is None) == (name == VERIFIED)


def by_fifo(path: Path, _: Path) -> None:
    os.mkfifo(path)


def by_folder(path: Path, _: Path) -> None:
    path.mkdir()


def by_device(path: Path, _: Path) -> None:
    path.symlink_to("/dev/zero")


def by_link(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere / "messages.csv")


@pytest.mark.parametrize("put", [by_fifo, by_folder, by_device, by_link])
@pytest.mark.parametrize("name", [MANIFEST, VERIFIED, "long_term/messages.csv"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, put: Callable[[Path, Path], None], name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "messages.csv").write_bytes(CONTENT)
    path = make(tmp_path / "backups") / name
    path.unlink(missing_ok=True)
    put(path, elsewhere)

    assert (use(tmp_path / "backups") is None) == (name == VERIFIED and put is not by_folder)
    assert (elsewhere / "messages.csv").read_bytes() == CONTENT


def test_a_folder_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    folder = make(tmp_path / "backups")
    (folder / "long_term").rename(tmp_path / "elsewhere")
    (folder / "long_term").symlink_to(tmp_path / "elsewhere")

    assert "elsewhere" in (use(tmp_path / "backups") or "")


@pytest.mark.parametrize("size", [0, 1, len(CONTENT) + 1, 2**62])
def test_a_size_that_is_none_is_told(tmp_path: Path, size: int) -> None:
    folder, manifest = make(tmp_path), manifest_of(NAME)
    manifest["databases"][0]["tables"][0]["files"]["csv"]["size"] = size
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")

    assert "bytes instead of" in (use(tmp_path) or "")


@pytest.mark.parametrize("field", ["databases", "tables"])
def test_nothing_may_be_there_twice(tmp_path: Path, field: str) -> None:
    folder, manifest = make(tmp_path), manifest_of(NAME)
    inner = manifest if field == "databases" else manifest["databases"][0]
    inner[field] *= 2
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")

    assert "damaged or not a manifest" in (use(tmp_path) or "")


@pytest.mark.parametrize("empty", ["databases", "tables", "files"])
def test_one_that_holds_nothing_takes_no_place(tmp_path: Path, empty: str) -> None:
    make(tmp_path, "nightly_2026-11-20_1")
    folder, manifest = make(tmp_path), manifest_of(NAME)
    inner = {
        "databases": manifest,
        "tables": manifest["databases"][0],
        "files": manifest["databases"][0]["tables"][0],
    }[empty]
    inner[empty] = type(inner[empty])()
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")

    use(tmp_path)

    assert (tmp_path / "nightly_2026-11-20_1").is_dir()
