"""A command loads what it uses: no model, agent, Discord or data frame for one that needs none of them."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from bench.processes import ROOT, Workplace
from tests.end_to_end.conftest import NewPlace

MODELS = {"torch", "transformers", "sentence_transformers", "sklearn", "scipy"}
AGENT = {"langchain", "langchain_core", "langgraph", "langsmith", "openai", "opentelemetry"}
FRAMES = {"pandas", "pyarrow", "duckdb"}
HEAVY = MODELS | AGENT | FRAMES | {"discord"}
DATABASE = {"sqlalchemy", "psycopg", "alembic"}
OURS = {"settings", "db", "memory", "agent", "bot"}
SCRIPTS = ("main_async.py", "backups.py", "db_save.py")
SESSION = ("--terminal", "--yes", "--session", "demo", "--as", "ana")

_NOTE_MODULES = """
import atexit, pathlib, runpy, sys
note = pathlib.Path(sys.argv[1])
atexit.register(lambda: note.write_text(" ".join({name.partition(".")[0] for name in sys.modules})))
sys.argv = sys.argv[2:]
sys.path[0] = str(pathlib.Path(sys.argv[0]).parent)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
_PATIENCE = 240  # seconds


@pytest.fixture
def place(new_place: NewPlace) -> Workplace:
    """A workplace whose databases nobody has used before."""
    return new_place(has_tables=False, understands=True)


def loaded(place: Workplace, script: str, *arguments: str, given: str = "", status: int = 0) -> set[str]:
    """Return the packages that a script has loaded by its end."""
    note = place.folder / "modules"
    finished = subprocess.run(
        [sys.executable, "-c", _NOTE_MODULES, str(note), str(ROOT / script), *arguments],
        input=given,
        capture_output=True,
        text=True,
        cwd=place.folder,
        env=place.environment(),
        timeout=_PATIENCE,
        check=False,
    )
    assert finished.returncode == status, finished.stderr
    return set(note.read_text(encoding="utf-8").split())


def unwanted(names: Iterable[str], modules: set[str]) -> set[str]:
    """Return which of these are loaded, where something is: a list that is empty would prove nothing."""
    assert "typer" in modules
    return modules.intersection(names)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize(("option", "status"), [("--help", 0), ("--nonsense", 2)], ids=["help", "a wrong flag"])
def test_help_and_a_refused_option_load_nothing_of_the_program(
    place: Workplace, script: str, option: str, status: int
) -> None:
    modules = loaded(place, script, option, status=status)

    assert unwanted(HEAVY | DATABASE | OURS | {"numpy"}, modules) == set()


def test_a_list_of_backups_needs_no_database(place: Workplace) -> None:
    assert unwanted(HEAVY | DATABASE | {"numpy"}, loaded(place, "backups.py", "list")) == set()


def test_a_list_of_promotions_needs_the_database_driver_at_most(place: Workplace) -> None:
    assert unwanted(HEAVY | {"numpy", "alembic"}, loaded(place, "db_save.py", "list")) == set()


def test_the_bot_in_a_terminal_a_search_a_promotion_and_a_backup_need_no_torch_agent_or_discord(
    place: Workplace,
) -> None:
    given = "the kettle is in the blue kitchen\n/chat where is the kettle?\n"

    assert unwanted(HEAVY, loaded(place, "main_async.py", *SESSION, given=given)) == set()
    # The tables are there from now on.
    assert unwanted(HEAVY | {"alembic"}, loaded(place, "main_async.py", *SESSION, given=given)) == set()
    assert unwanted(HEAVY | {"alembic"}, loaded(place, "main_async.py", "search", "where is the kettle?")) == set()
    assert unwanted(HEAVY - FRAMES, loaded(place, "db_save.py", "demo", "--yes")) == set()
    assert unwanted(HEAVY - {"pyarrow"}, loaded(place, "backups.py", "create")) == set()


def test_what_is_loaded_is_noticed(tmp_path: Path, place: Workplace) -> None:
    script = tmp_path / "script.py"
    script.write_text("import typer, psycopg\n", encoding="utf-8")

    assert unwanted(DATABASE, loaded(place, str(script))) == {"psycopg"}
