"""Whatever the folders are called and the shell has set, each script works as in a plain folder."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.models import shared_models_dir
from bench.processes import ROOT, Workplace, open_workplace
from tests.end_to_end.processes import run_program, terminal_arguments
from tests.libpq_variables import VARIABLES

ODD = "my 50% & #1+1 été 🔥 'q' \"d\" ~x $HOME"


@pytest.fixture
def odd_place() -> Iterator[Workplace]:
    """A workplace on an embedded server of its own, in a folder whose name every format has its own idea of.

    Its shell has been set up for quite another server.
    """
    with open_workplace() as plain:
        folder = plain.folder / ODD
        folder.mkdir()
        folder.chmod(0o755)
        (folder / "models").symlink_to(shared_models_dir())
        yield replace(plain, folder=folder, settings={**VARIABLES, "EMBEDDING_DIR": str(folder / "models")})


async def out_of(place: Workplace, script: str, *arguments: str, given: str = "") -> str:
    """Return what a script prints that must end well."""
    finished = await run_program(place, *arguments, script=ROOT / script, given=given)
    assert (finished.status, finished.err) == (0, "")
    return finished.out


def lies_at(path: Path) -> bool:
    return path.exists()


@pytest.mark.own_server
async def test_every_script_works_in_a_folder_of_any_name_whatever_the_shell_says(odd_place: Workplace) -> None:
    said = "the kettle is in the blue kitchen\n/chat where is the kettle?\n"

    assert '"the kettle is in the blue kitchen" [1]' in await out_of(
        odd_place, "main_async.py", *terminal_arguments("hut"), given=said
    )
    assert "blue kitchen" in await out_of(odd_place, "main_async.py", "search", "where is the kettle?")
    assert "This is batch 1" in await out_of(odd_place, "db_save.py", "hut", "--yes")
    created = await out_of(odd_place, "backups.py", "create", "--format", "both", "--format", "binary")
    name = created.splitlines()[-1].split()[0]
    assert "equal" in await out_of(odd_place, "backups.py", "verify", name, "--restore")
    assert "All is well" in await out_of(odd_place, "main_async.py", "check")
    assert not lies_at(odd_place.embedded_dir / "data" / "postmaster.pid")


async def shell(place: Workplace, command: str) -> tuple[int, str, str]:
    """Return how a line of a shell ends, in which $PY is our Python."""
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        command,
        stdout=PIPE,
        stderr=PIPE,
        cwd=ROOT,
        env=place.environment(PY=sys.executable),
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_scripts_whose_output_is_closed_end_as_others_do(place: Workplace) -> None:
    assert (await run_program(place, *terminal_arguments("demo"), given="the kiln is hot\n")).status == 0

    ends = await asyncio.gather(
        shell(place, "$PY main_async.py search kiln >&-"),
        shell(place, "$PY main_async.py search kiln | head -c 1"),
        shell(place, "$PY backups.py list >&- 2>&-"),
        shell(place, "$PY main_async.py check >&- <&-"),
        shell(place, "$PY db_save.py list >&-"),
        shell(place, "$PY -m db.embedded status --dir /nowhere 2>&-"),
    )

    assert list(ends) == [(0, "", ""), (0, "s", ""), (0, "", ""), (0, "", ""), (0, "", ""), (2, "", "")]


async def test_a_backup_is_named_as_a_shell_completes_it(place: Workplace) -> None:
    assert (await run_program(place, *terminal_arguments("demo"), given="the kiln is hot\n")).status == 0
    await out_of(place, "backups.py", "create", "--no-verify")
    folder = next(place.backup_dir.iterdir())

    for written in (f"{folder.name}/", str(folder), f"{folder}/", f"../{place.folder.name}/backups/{folder.name}"):
        assert folder.name in await out_of(place, "backups.py", "verify", written)
    elsewhere = await run_program(place, "verify", f"/nowhere/{folder.name}", script=ROOT / "backups.py")

    assert elsewhere.status == 2
    assert elsewhere.err.startswith(f"There is no backup '/nowhere/{folder.name}' in ")
