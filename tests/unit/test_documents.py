"""Documents name what exists: paths, modules, links, settings, flags, columns, tables and windows of time."""

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
import typer.main
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import TypeAdapter

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "PRIVACY.md")), *(ROOT / "docs").rglob("*.md")]
)
NOT_HERE = frozenset(
    {
        *(
            "logs/",
            "session/",
            "short_term/",
            "long_term/",
            "time_chats/",
            "export_person.py",
        ),  # made by a run or a user
        *("src/", "knowledge/", "web/"),  # not taken, or later
    }
)
OF_A_RUN = ("db/storage", "db/backups")
"""What the program makes: it is not in the repository."""

NONE = "\N{EN DASH}"
"""Stands in a table for what is not there."""

_PATH = re.compile(r"[A-Za-z_.][\w.-]{0,99}(?:/[\w.-]{1,99}){0,9}/?")
_SUFFIXES = (".py", ".md", ".toml", ".yaml", ".txt", ".csv", ".sql", ".sh")
_RUN_MODULE = re.compile(r"python -m ([a-z_]{1,50}(?:\.[a-z_]{1,50}){0,5})")
_RUN_SCRIPT = re.compile(r"python ([a-z_]{1,50}\.py)")


@dataclass(frozen=True, slots=True)
class Document:
    """What of a document can be true or false."""

    headings: frozenset[str]
    links: tuple[str, ...]
    codes: tuple[str, ...]
    """Words within backticks, and blocks of code."""


@cache
def read(path: Path) -> Document:
    """Return the parts of a document."""
    tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))
    inline = [child for token in tokens for child in token.children or ()]
    return Document(
        headings=frozenset(_anchors(tokens)),
        links=tuple(str(token.attrs["href"]) for token in inline if token.type == "link_open"),
        codes=tuple(token.content for token in [*inline, *tokens] if token.type in {"code_inline", "fence"}),
    )


def _anchors(tokens: list[Token]) -> Iterator[str]:
    """Yield the names that headings have in an address, as GitHub makes them."""
    for opening, heading in pairwise(tokens):
        if opening.type == "heading_open":
            words = "".join(child.content for child in heading.children or ())
            yield re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")


def table_of(name: str, *, first: str) -> list[list[str]]:
    """Return the rows of the tables in a document of the reference whose head begins with these words."""
    lines = (ROOT / "docs/reference" / name).read_text(encoding="utf-8").splitlines()
    rows: list[list[str]] = []
    taken = False
    for line in lines:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            taken = False
        elif cells[0] == first:
            taken = True
        elif taken and set(cells[0]) != {"-"}:
            rows.append(cells)
    assert rows, f"{name} has no table that begins with {first}"
    return rows


def names_in(cell: str) -> list[str]:
    """Return the words in backticks of a cell."""
    return re.findall(r"`([^`]{1,99})`", cell)


@cache
def tops() -> frozenset[str]:
    """Return the names at the top of the repository."""
    return frozenset(path.name for path in ROOT.iterdir())


def paths_in(document: Document) -> Iterator[str]:
    """Yield what a document says are paths of the repository."""
    words = (word for code in document.codes for word in code.split())
    for code in words:
        if not _PATH.fullmatch(code) or code.startswith(OF_A_RUN) or code in NOT_HERE:
            continue
        if "/" in code.rstrip("/"):
            if code.partition("/")[0] in tops() or code.endswith(_SUFFIXES):
                yield code
        elif code.endswith(("/", ".py")):
            yield code


def exists(name: str, *, beside: Path) -> bool:
    """Return whether a path is one from the top or from a document; a drawing names modules without their suffix."""
    return any(path.exists() for path in (ROOT / name, ROOT / f"{name}.py", beside.parent / name))


def is_module(name: str) -> bool:
    """Return whether a dotted name is a module or a package of ours."""
    place = ROOT.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


IDS = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_every_path_that_a_document_names_exists(path: Path) -> None:
    assert {name for name in paths_in(read(path)) if not exists(name, beside=path)} == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_every_command_that_a_document_names_exists(path: Path) -> None:
    code = "\n".join(read(path).codes)
    modules = {name for name in _RUN_MODULE.findall(code) if name.partition(".")[0] in tops()}

    assert {name for name in modules if not is_module(name)} == set()
    assert {name for name in _RUN_SCRIPT.findall(code) if name not in tops()} <= NOT_HERE


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_every_dotted_name_in_a_document_leads_to_a_module(path: Path) -> None:
    dotted = {code for code in read(path).codes if re.fullmatch(r"[a-z_]{1,50}(?:\.\w{1,50}){1,5}", code)}
    packages = {name for name in tops() if (ROOT / name / "__init__.py").is_file()}
    ours = {name for name in dotted if name.partition(".")[0] in packages}

    assert {name for name in ours if not is_module(".".join(name.split(".")[:2]))} == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_every_link_within_the_repository_resolves(path: Path) -> None:
    broken = []
    for link in read(path).links:
        if re.match(r"[a-z]{1,9}:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in read(target).headings):
            broken.append(link)

    assert broken == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md":
            continue
        reached.add(path)
        names = {unquote(link).partition("#")[0] for link in read(path).links if not re.match(r"[a-z]{1,9}:", link)}
        waiting += [(path.parent / name).resolve() for name in names if name]

    assert set(DOCUMENTS) - reached == set()


def test_the_readme_can_be_read_in_a_few_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_the_map_in_the_readme_has_every_package() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if re.match(r"\| `\w{1,50}/` \|", line)]

    assert {names_in(row)[0].rstrip("/") for row in rows} == packages
    assert len(rows) == len(packages)


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs/decisions"
    written = {path.name for path in folder.glob("[0-9]*.md")}

    assert written <= set(read(folder / "README.md").links)


def test_the_reference_has_every_setting() -> None:
    template = (ROOT / ".env_template").read_text(encoding="utf-8")
    settings = set(re.findall(r"^([A-Z_]{2,50})=", template, re.MULTILINE))
    named = {name for row in table_of("settings.md", first="setting") for name in names_in(row[0])}

    assert named - {"compose.yaml"} == settings


def test_the_reference_has_the_default_of_every_setting() -> None:
    from settings import Settings

    rows = [row for row in table_of("settings.md", first="setting") if row[1]]
    written = {
        name: default
        for row in rows
        for name, default in zip_longest(names_in(row[0]), row[1].split(", "), fillvalue=row[1].rpartition(", ")[2])
    }
    defaults = {name: _written(field.default) for name, field in Settings.model_fields.items()}

    assert {name: written[name.upper()] for name, default in defaults.items() if default is not None} == {
        name: default for name, default in defaults.items() if default is not None
    }


def _written(default: Any) -> str | None:
    """Return a default as the reference writes it; None where it is told in words."""
    if default is None:
        return None
    if isinstance(default, timedelta):
        length = TypeAdapter(timedelta).dump_python(default, mode="json")
        return f"`{length}`"
    if isinstance(default, time):
        return f"`{default:%H:%M}`"
    if isinstance(default, bool):
        return "`on`" if default else "`off`"
    return str(default) if isinstance(default, int) else f"`{default}`"


@pytest.mark.parametrize("script", ["main_async", "backups", "db_save"])
def test_the_reference_has_every_flag_of(script: str) -> None:
    command = typer.main.get_command(importlib.import_module(script).app)
    text = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    written = {word for code in names_in(text) for word in re.findall(r"--[a-z][a-z-]{1,30}", code)}

    assert set(_flags(command)) - written == set()


def _flags(command: Any) -> Iterator[str]:
    """Yield the options of a command and of its subcommands."""
    for option in command.params:
        yield from (name for name in [*option.opts, *option.secondary_opts] if name.startswith("--"))
    for subcommand in getattr(command, "commands", {}).values():
        yield from _flags(subcommand)


def test_the_reference_has_every_column_of_a_sessions_csv() -> None:
    from memory.message import COLUMNS

    assert [names_in(row[0])[0] for row in table_of("files.md", first="column")] == list(COLUMNS)


def test_the_reference_has_every_table_and_column() -> None:
    from db.schema import Base
    from memory.message import COLUMNS

    written = {names_in(row[0])[0]: set(names_in(row[1])) for row in table_of("database.md", first="table")}
    written["messages"] = {
        *COLUMNS,
        *(names_in(row[0])[0] for row in table_of("database.md", first="column of `messages` beyond the CSV's")),
    }
    tables = {name: {column.name for column in table.columns} for name, table in Base.metadata.tables.items()}

    assert {name: columns for name, columns in tables.items() if columns - written.get(name, set())} == {}
    assert written.keys() == tables.keys()


@pytest.mark.parametrize("row", table_of("time-expressions.md", first="phrase"), ids=lambda row: str(row[0]))
def test_a_phrase_of_time_means_what_the_reference_says(row: list[str]) -> None:
    from time_expressions.find import times_in

    paris = ZoneInfo("Europe/Paris")
    times = times_in(row[0], now=datetime(2026, 11, 21, 10, tzinfo=paris), time_zone=paris)

    assert [(_spoken(found.window.start), _spoken(found.window.end)) for found in times.windows] == [tuple(row[1:])]


def _spoken(moment: datetime | None) -> str:
    return NONE if moment is None else f"{moment:%Y-%m-%d %H:%M}"
