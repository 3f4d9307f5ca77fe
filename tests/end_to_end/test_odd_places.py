"""Whatever the folders are called and the shell has set, each script works as in a plain folder."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.models import shared_models_dir
from bench.processes import ROOT, Workplace, open_workplace
from tests.end_to_end.processes import run_program, terminal_arguments

ODD = "my 50% & #1+1 été 🔥 'q' \"d\" ~x $HOME"


@pytest.fixture
def odd_place() -> Iterator[Workplace]:
    """A workplace on an embedded server of its own, in a folder whose name every format has its own idea of."""
    with open_workplace() as plain:
        folder = plain.folder / ODD
        folder.mkdir()
        folder.chmod(0o755)
        (folder / "models").symlink_to(shared_models_dir())
        yield replace(plain, folder=folder, settings={"EMBEDDING_DIR": str(folder / "models")})


async def out_of(place: Workplace, script: str, *arguments: str, given: str = "") -> str:
    """Return what a script prints that must end well."""
    finished = await run_program(place, *arguments, script=ROOT / script, given=given)
    assert (finished.status, finished.err) == (0, "")
    return finished.out


def lies_at(path: Path) -> bool:
    return path.exists()


@pytest.mark.own_server
async def test_every_script_works_in_a_folder_of_any_name(odd_place: Workplace) -> None:
    said = "the kettle is in the blue kitchen\n/chat where is the kettle?\n"

    assert '"the kettle is in the blue kitchen" [1]' in await out_of(
        odd_place, "main_async.py", *terminal_arguments("hut"), given=said
    )
    assert "blue kitchen" in await out_of(odd_place, "search.py", "where is the kettle?")
    assert "This is batch 1" in await out_of(odd_place, "db_save.py", "hut", "--yes")
    created = await out_of(odd_place, "backups.py", "create", "--format", "both", "--format", "binary")
    name = created.splitlines()[-1].split()[0]
    assert "equal" in await out_of(odd_place, "backups.py", "verify", name, "--restore")
    assert "All is well" in await out_of(odd_place, "main_async.py", "--check")
    assert not lies_at(odd_place.embedded_dir / "data" / "postmaster.pid")
