"""Tests of what differs between PostgreSQL and TimescaleDB carry the marker by which CI runs them on both."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DIFFERING = {
    *("ops.backup.create", "ops.backup.empty_short_term", "ops.backup.restore", "ops.backup.restore"),
    *("db.migrate", "ops.move", "db.chunks", "db.roles", "db.vector_index", "db.word_index"),
    *("memory.index.bulk", "memory.search.planner"),
}
"""The modules whose statements, or whose plans, are not the same on both servers."""

MODULES = [path for folder in ("integration", "end_to_end") for path in sorted((TESTS / folder).glob("test_*.py"))]


def imported(tree: ast.Module) -> Iterator[str]:
    """Return the names of modules that a module may import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def is_marked(tree: ast.Module) -> bool:
    """Return whether all tests of a module carry the marker."""
    return any(
        isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "pytestmark"
        and "pytest.mark.server" in ast.unparse(node.value)
        for node in tree.body
    )


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in MODULES])
def test_a_module_about_what_differs_runs_on_both_servers(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))

    differing = DIFFERING & set(imported(tree))

    assert is_marked(tree) or not differing


def test_both_kinds_of_modules_are_there() -> None:
    marked = [is_marked(ast.parse(path.read_text(encoding="utf-8"))) for path in MODULES]

    assert marked.count(True) >= 15
    assert False in marked
