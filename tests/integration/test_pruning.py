"""Pruning leaves a backup of each purpose that was read again and found to be whole, and counts no damaged one."""

import json
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from db.databases import SHORT_TERM, Database
from errors import InputFileError, OperatorError
from ops.backup import retention
from ops.backup.catalogue import Backup, find_backup, list_backups
from ops.backup.create import BackupPlan, create
from ops.backup.formats import Format
from ops.backup.manifest import MANIFEST, VERIFIED
from ops.backup.retention import Pruned, RetentionPolicy, prune
from ops.backup.verify import verify
from tests.conftest import open_new_database
from tests.lived_in import PATIENCE, WIDTH, live_in
from tests.sentences import is_one_sentence
from tests.servers import Server
from util_async import no_progress

pytestmark = pytest.mark.server

FIRST = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
LATER = FIRST + timedelta(days=30)
ONE_DAY = RetentionPolicy(1, 0)


@pytest.fixture
async def database(server: Server) -> AsyncIterator[Database]:
    """A short-term memory that no test changes."""
    async with open_new_database(server, SHORT_TERM, width=WIDTH) as opened:
        await live_in(opened)
        yield opened


async def back_up(
    database: Database, folder: Path, day: int, *formats: Format, verifies: bool = True, hours: int = 0
) -> Backup:
    made = await create(
        [database],
        BackupPlan(name="nightly", formats=formats or [Format.CSV]),
        backup_dir=folder,
        now=FIRST + timedelta(days=day, hours=hours),
        timeout=PATIENCE,
        report=no_progress,
    )
    if verifies:
        await verify(made.folder, made.manifest, now=made.manifest.created_at, report=no_progress)
    return made


async def pruned(folder: Path, rule: RetentionPolicy = ONE_DAY, *, dry_run: bool = False) -> Pruned:
    return await prune(folder, rule, ZoneInfo("UTC"), now=LATER, report=no_progress, dry_run=dry_run)


def seen(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def messages_of(backup: Backup) -> Path:
    (path,) = (backup.folder / "short_term").glob("messages.*")
    return path


def flip(backup: Backup) -> None:
    content = bytearray(messages_of(backup).read_bytes())
    content[len(content) // 2] ^= 1
    messages_of(backup).write_bytes(content)


def truncate(backup: Backup) -> None:
    os.truncate(messages_of(backup), 10)


def lose_a_file(backup: Backup) -> None:
    messages_of(backup).unlink()


def edit_manifest(backup: Backup) -> None:
    path = backup.folder / MANIFEST
    manifest = json.loads(path.read_bytes())
    table = next(one for one in manifest["databases"][0]["tables"] if one["name"] == "messages")
    table["checksum"] = "1"
    path.write_text(json.dumps(manifest), encoding="utf-8")


def lose_manifest(backup: Backup) -> None:
    (backup.folder / MANIFEST).unlink()


EVERY_DAMAGE = [flip, truncate, lose_a_file, edit_manifest, lose_manifest]


@pytest.mark.parametrize("damage", EVERY_DAMAGE)
async def test_a_damaged_backup_does_not_take_the_place_of_a_whole_one(
    database: Database, tmp_path: Path, damage: Callable[[Backup], None]
) -> None:
    first, second, third = [await back_up(database, tmp_path, day) for day in range(3)]
    damage(third)

    found = await pruned(tmp_path)

    assert [backup.name for backup in found.removed] == [first.name]
    assert seen(tmp_path) == [second.name, third.name]
    if damage is not lose_manifest:  # which the list tells by itself
        ((name, sentence),) = found.damaged.items()
        assert name == third.name
        assert is_one_sentence(sentence)
        assert find_backup(tmp_path, third.name).damage == sentence
    assert (await pruned(tmp_path)).removed == []


@pytest.mark.parametrize("damage", EVERY_DAMAGE)
async def test_of_several_damaged_ones_the_last_whole_one_is_kept(
    database: Database, tmp_path: Path, damage: Callable[[Backup], None]
) -> None:
    first, *others = [await back_up(database, tmp_path, day) for day in range(4)]
    for backup in others:
        damage(backup)

    assert (await pruned(tmp_path, RetentionPolicy(2, 1))).removed == []
    assert find_backup(tmp_path, first.name).damage is None


async def test_the_last_of_a_day_that_was_never_read_again_counts_only_when_it_is_whole(
    database: Database, tmp_path: Path
) -> None:
    morning = await back_up(database, tmp_path, 0)
    evening = await back_up(database, tmp_path, 0, verifies=False, hours=12)
    noon = await back_up(database, tmp_path, 1, hours=6)
    night = await back_up(database, tmp_path, 1, verifies=False, hours=18)
    flip(evening)

    found = await pruned(tmp_path, RetentionPolicy(2, 0))

    assert [backup.name for backup in found.removed] == [noon.name]
    assert seen(tmp_path) == sorted([morning.name, evening.name, night.name])
    assert found.damaged.keys() == {evening.name}
    assert find_backup(tmp_path, night.name).verified is not None


async def test_what_is_only_there_for_analysis_does_not_stand_in_for_a_damaged_one(
    database: Database, tmp_path: Path
) -> None:
    restorable = [await back_up(database, tmp_path, day) for day in range(2)]
    damaged = await back_up(database, tmp_path, 2)
    for_analysis = await back_up(database, tmp_path, 3, Format.PARQUET)
    flip(damaged)

    found = await pruned(tmp_path)

    assert [backup.name for backup in found.removed] == [restorable[0].name]
    assert seen(tmp_path) == sorted([restorable[1].name, damaged.name, for_analysis.name])


async def test_a_dry_run_tells_the_same_and_changes_nothing(database: Database, tmp_path: Path) -> None:
    first, second, third = [await back_up(database, tmp_path, day) for day in range(3)]
    flip(third)

    found = await pruned(tmp_path, dry_run=True)

    assert [backup.name for backup in found.removed] == [first.name]
    assert found.damaged.keys() == {third.name}
    assert seen(tmp_path) == [first.name, second.name, third.name]
    assert find_backup(tmp_path, third.name).damage is None


async def test_nothing_is_read_where_nothing_would_be_removed(database: Database, tmp_path: Path) -> None:
    await back_up(database, tmp_path, 0)
    heard: list[int] = []

    found = await prune(
        tmp_path, ONE_DAY, ZoneInfo("UTC"), now=LATER, report=lambda done, _: heard.append(done), dry_run=False
    )

    assert (found.removed, found.damaged, heard) == ([], {}, [])


async def test_the_report_ends_when_all_is_read(database: Database, tmp_path: Path) -> None:
    for day in range(3):
        await back_up(database, tmp_path, day, verifies=day != 1)
    heard: list[tuple[int, int]] = []

    await prune(
        tmp_path,
        RetentionPolicy(2, 0),
        ZoneInfo("UTC"),
        now=LATER,
        report=lambda *both: heard.append(both),
        dry_run=False,
    )

    assert heard == sorted(heard)
    assert heard[-1][0] == heard[-1][1] > 0


async def test_reading_that_takes_too_long_removes_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(2):
        await back_up(database, tmp_path, day)
    monkeypatch.setattr(retention, "PATIENCE", timedelta(0))
    before = seen(tmp_path)

    with pytest.raises(OperatorError, match="nothing was removed") as caught:
        await pruned(tmp_path)

    assert is_one_sentence(str(caught.value))
    assert seen(tmp_path) == before


async def test_a_backup_that_fails_to_verify_says_so_until_it_is_mended(database: Database, tmp_path: Path) -> None:
    backup = await back_up(database, tmp_path, 0)
    content = messages_of(backup).read_bytes()
    flip(backup)

    with pytest.raises(InputFileError) as caught:
        await verify(backup.folder, backup.manifest, now=LATER, report=no_progress)

    (found,) = list_backups(tmp_path).backups
    assert found.damage == str(caught.value)
    assert found.verified is None
    messages_of(backup).write_bytes(content)
    await verify(backup.folder, backup.manifest, now=LATER, report=no_progress)
    (found,) = list_backups(tmp_path).backups
    assert found.damage is None
    assert found.verified is not None
    assert found.verified.at == LATER


async def test_a_manifest_that_was_changed_since_it_was_verified_counts_as_damage(
    database: Database, tmp_path: Path
) -> None:
    backup = await back_up(database, tmp_path, 0)
    manifest = (backup.folder / MANIFEST).read_bytes()
    edit_manifest(backup)
    found = find_backup(tmp_path, backup.name)

    assert found.damage is not None
    with pytest.raises(InputFileError, match=VERIFIED) as caught:
        await verify(found.folder, found.manifest, now=LATER, report=no_progress)

    assert is_one_sentence(str(caught.value))
    assert find_backup(tmp_path, backup.name).damage is not None
    (backup.folder / MANIFEST).write_bytes(manifest)
    await verify(backup.folder, backup.manifest, now=LATER, report=no_progress)
    assert find_backup(tmp_path, backup.name).damage is None
