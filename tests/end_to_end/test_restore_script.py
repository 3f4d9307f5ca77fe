"""A computer that has lost everything but its backups goes on where it was."""

import shutil
from pathlib import Path

from bench.processes import ROOT, Workplace, open_workplace
from tests.end_to_end.processes import journal_rows, run_program, terminal_arguments

SCRIPT = ROOT / "backups.py"


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


async def done(place: Workplace, *arguments: str) -> str:
    finished = await run_program(place, *arguments, script=SCRIPT)
    assert finished.status == 0, finished.err
    return finished.out


async def said(place: Workplace, *arguments: str, given: str) -> str:
    finished = await run_program(place, *arguments, given=given)
    assert finished.status == 0, finished.err
    return finished.out


async def test_the_session_goes_on_after_its_disk_was_lost() -> None:
    with open_workplace() as place:
        await said(place, *terminal_arguments("pottery"), given="the kiln reaches 1280 degrees\n")
        journal = place.journal_path("pottery").read_bytes()
        await done(place, "create", "--format", "binary")
        (backup,) = [path.name for path in place.backup_dir.iterdir() if not path.name.startswith(".")]
        shutil.rmtree(place.storage_dir)
        shutil.rmtree(place.embedded_dir)

        flip(place.backup_dir / backup / "session" / "pottery.csv.zst")
        refused = await run_program(place, "restore", backup, "--yes", script=SCRIPT)
        assert refused.status == 2
        assert "pottery.csv.zst was changed" in refused.err
        assert "holds no memory yet" in (await run_program(place, "create", script=SCRIPT)).err
        flip(place.backup_dir / backup / "session" / "pottery.csv.zst")
        restored = await done(place, "restore", backup, "--yes")

        assert "DIFFERENT" not in restored
        assert place.journal_path("pottery").read_bytes() == journal
        answered = await said(place, "--terminal", "--yes", given="we fire at noon\n/chat how hot is the kiln?\n")
        assert "the kiln reaches 1280 degrees" in answered
        told = [row["content"] for row in journal_rows(place.journal_path("pottery"))]
        assert told[:2] == ["the kiln reaches 1280 degrees", "we fire at noon"]


async def backed_up(place: Workplace, *arguments: str) -> str:
    """Make a backup and return its name."""
    before = {path.name for path in place.backup_dir.glob("[!.]*")}
    await done(place, "create", "--format", "binary", *arguments)
    (name,) = {path.name for path in place.backup_dir.glob("[!.]*")} - before
    return name


async def test_the_next_start_goes_on_with_the_session_that_was_restored() -> None:
    with open_workplace() as place:
        await said(place, *terminal_arguments("pottery"), given="the kiln reaches 1280 degrees\n")
        backup = await backed_up(place)
        await said(place, *terminal_arguments("sailing"), given="the mast is eleven metres high\n")

        restored = await done(place, "restore", backup, "--yes", "--database", "short")

        assert (
            "The next start goes on with the session pottery, as short-term memory does (before: sailing)." in restored
        )
        answered = await said(place, "--terminal", "--yes", given="/chat how hot is the kiln?\n")
        assert "the kiln reaches 1280 degrees" in answered
        (row,) = journal_rows(place.journal_path("sailing"))
        assert row["content"] == "the mast is eleven metres high"
        answered = await said(place, *terminal_arguments("sailing"), given="/chat how high is the mast?\n")
        assert "the mast is eleven metres high" in answered


async def test_a_session_that_only_memory_has_is_written_down_before_another_replaces_it() -> None:
    with open_workplace() as place:
        await said(place, *terminal_arguments("pottery"), given="the kiln reaches 1280 degrees\n")
        backup = await backed_up(place)
        await said(place, *terminal_arguments("sailing"), given="the mast is eleven metres high\n")
        place.journal_path("sailing").unlink()

        await done(place, "restore", backup, "--yes", "--database", "short")

        assert "the mast is eleven metres high" in place.journal_path("sailing").read_text(encoding="utf-8")
        answered = await said(place, *terminal_arguments("sailing"), given="/chat how high is the mast?\n")
        assert "the mast is eleven metres high" in answered
