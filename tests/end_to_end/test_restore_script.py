"""A computer that has lost everything but its backups goes on where it was."""

import shutil

from bench.processes import ROOT, Workplace, open_workplace
from tests.end_to_end.processes import journal_rows, run_program, terminal_arguments

SCRIPT = ROOT / "backups.py"


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

        restored = await done(place, "restore", backup, "--yes")

        assert "DIFFERENT" not in restored
        assert place.journal_path("pottery").read_bytes() == journal
        answered = await said(place, "--terminal", "--yes", given="we fire at noon\n/chat how hot is the kiln?\n")
        assert "the kiln reaches 1280 degrees" in answered
        told = [row["content"] for row in journal_rows(place.journal_path("pottery"))]
        assert told[:2] == ["the kiln reaches 1280 degrees", "we fire at noon"]
