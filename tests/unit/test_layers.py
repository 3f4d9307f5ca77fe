"""Imports point one way, from scripts down to what has no package."""

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LAYERS = (
    {"cli"},
    {"ops", "bot", "terminal"},
    {"agent"},
    {"overviews", "knowledge"},
    {"memory"},
    {"db"},
    {"time_expressions", "util_async"},
    {"storage"},  # below: the embedded server's folder appears whole, and `util_async` hands a function of it on
    {"errors", "tracing"},
)
"""From top to bottom; what shares a layer does not know of each other."""

MEMORY: dict[str, set[str]] = {
    "question": {"names", "search"},
    "search": {"counting", "coverage", "embedding", "index", "names", "places"},
    "counting": {"index"},
    "capture": {"consent", "embedding", "index"},
    "index": {"embedding", "names"},
    "places": {"names"},
    "consent": set(),
    "coverage": set(),
    "answers": set(),
    "names": set(),
    "embedding": set(),
}
"""What the packages of memory may import of each other."""

SCRIPT = "__main__.py"
"""What `python -m` runs of a package is a script as those at the top are."""

RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
OUTSIDE = {"tests", "bench", "settings"}  # they look at everything, or at nothing but errors

READERS = {"cli": {"settings"}}
"""What else a package may import."""


def sources(name: str) -> list[Path]:
    """Return the files of a package, or of a module that has none."""
    folder = ROOT / name
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [ROOT / f"{name}.py"]
    return [path for path in files if path.name != SCRIPT]


@cache
def our_files() -> list[Path]:
    """Return all files of the project; the folder of the virtual environment has tens of thousands of others."""
    folders = [folder for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    return sorted([*ROOT.glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py"))])


def imported(path: Path) -> set[str]:
    """Return the top name of everything that a file imports, wherever it does so."""
    return {name.partition(".")[0] for name in imported_modules(path)}


@cache
def imported_modules(path: Path) -> frozenset[str]:
    """Return the whole name of everything that a file imports, and of what it imports from there."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relative to itself"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def importers_of(name: str) -> set[str]:
    """Return the top names, tests aside, of whatever imports a module."""
    files = [path for path in our_files() if path.relative_to(ROOT).parts[0] != "tests" and path.name != SCRIPT]
    return {path.relative_to(ROOT).parts[0] for path in files if name in imported(path)}


def scripts() -> set[str]:
    """Return the top-level files that are run, not imported."""
    modules = {path.stem for path in ROOT.glob("*.py")} - RANK.keys() - OUTSIDE
    return {f"{name}.py" for name in modules}


@pytest.mark.parametrize("name", sorted(RANK))
def test_it_imports_only_from_below(name: str) -> None:
    ours = (RANK.keys() | OUTSIDE | {script.removesuffix(".py") for script in scripts()}) - {name}
    used = {other for path in sources(name) for other in imported(path)} & ours

    assert used <= {other for other in RANK if RANK[other] > RANK[name]} | READERS.get(name, set())


def test_what_an_operator_does_knows_neither_the_bot_nor_its_agent() -> None:
    knowing = {path.relative_to(ROOT).as_posix() for path in sources("ops") if imported(path) & {"agent", "bot"}}

    assert knowing == set()


def test_every_package_has_its_place_in_the_drawing() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert packages <= RANK.keys() | OUTSIDE


def test_no_script_is_imported() -> None:
    assert {script for script in scripts() if importers_of(script.removesuffix(".py")) - {"bench"}} == set()


def test_only_scripts_read_settings() -> None:
    readers = importers_of("settings")

    assert "cli" in readers
    assert readers <= scripts() | {"bench", "cli"}


def test_only_the_bot_knows_discord() -> None:
    assert importers_of("discord") - {"bench"} == {"bot"}  # a bench compares with it what the bot decides


DRIVERS = ("psycopg", "sqlalchemy")
TRANSLATORS = {"db/errors.py"}


def error_classes_used(path: Path) -> set[str]:
    """Return the modules of errors that a file imports of a driver, and the error classes that it takes from one."""
    found = {name for name in imported_modules(path) if name.startswith(("psycopg.errors", "sqlalchemy.exc"))}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in DRIVERS:
            found |= {f"{node.value.id}.{node.attr}"} if re.search("[eE]rrors?$|^exc$", node.attr) else set()
    return found | {name for name in imported_modules(path) if re.match(r"(psycopg|sqlalchemy)\..*Error$", name)}


def test_only_one_module_knows_the_errors_of_the_driver() -> None:
    files = [path.relative_to(ROOT) for path in our_files()]
    ours = [
        path for path in files if path.parts[0] not in {"tests", "bench"} and path.parts[:2] != ("db", "migrations")
    ]
    knowing = {path.as_posix() for path in ours if error_classes_used(ROOT / path)}

    assert knowing == TRANSLATORS


@pytest.mark.parametrize("module", ["langgraph.checkpoint", "psycopg_pool"])
def test_what_kept_conversations_in_earlier_versions_is_not_needed_any_more(module: str) -> None:
    assert {path for path in our_files() if any(name.startswith(module) for name in imported_modules(path))} == set()


@pytest.mark.parametrize(
    ("call", "module"),
    [
        pytest.param("psycopg.connect(", None, id="by the driver, at once"),
        pytest.param("AsyncConnection.connect(", "db/connections.py", id="by the driver"),
        pytest.param("create_async_engine(", "db/engines.py", id="by a pool"),
        pytest.param("create_engine(", None, id="by a pool, at once"),
    ],
)
def test_connections_are_made_in_one_place(call: str, module: str | None) -> None:
    files = [path for path in our_files() if path.relative_to(ROOT).parts[0] != "tests"]
    makers = {path.relative_to(ROOT).as_posix() for path in files if call in path.read_text(encoding="utf-8")}

    assert makers == ({module} if module else set())


@pytest.mark.parametrize("name", MEMORY)
def test_a_package_of_memory_imports_only_from_below(name: str) -> None:
    modules = {module for path in sources(f"memory/{name}") for module in imported_modules(path)}
    packages = {path.parent.name for path in (ROOT / "memory").glob("*/__init__.py")}
    used = {module.split(".")[1] for module in modules if module.startswith("memory.")} & packages

    assert used - {name} <= MEMORY[name]


def test_no_files_import_each_other_in_a_circle() -> None:
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in our_files()}
    imports = {name: imported_modules(path) & modules.keys() for name, path in modules.items()}
    imports |= {
        name: imports[name] | {used.rpartition(".")[0] for used in imported_modules(path)} & modules.keys() - {name}
        for name, path in modules.items()
    }

    assert list(TopologicalSorter(imports).static_order())
