"""Every regular expression of the program is a constant, and takes no long over any text that others write."""

import ast
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from tests.unit.test_layers import ROOT, our_files

LENGTH = 4000
"""Characters of a text; the longest message that Discord takes of anybody."""

MOST = 0.1
"""Seconds of processor time that an expression may take over it."""

_SHORT, _MOST_SHORT = 64, 0.01  # what takes longer over so little grows exponentially: LENGTH would never end
_LONG = 400
_LENGTHS = (16, 20, 24, 32, 40, 48, _SHORT, _LONG, 1000, LENGTH)
_QUICK = MOST / (LENGTH / _LONG) ** 3
"""What takes less than this over `_LONG` characters takes less than `MOST` over `LENGTH` even if it grows cubically.

Nothing that grows as fast is so quick: 400 characters have 80,000 pairs and 10,000,000 triples.
"""

_IMPORT = "import re\n"
"""How a file gets at regular expressions; `test_nothing_hides_an_expression_from_this_test` refuses other ways."""
_ANY_IMPORT = re.compile(r"^\s*(?:from|import)\b.*\b(?:re|regex|fnmatch)\b", re.MULTILINE)

_CALLS = frozenset({"compile", "search", "match", "fullmatch", "sub", "subn", "split", "finditer", "findall"})
_FLAGS_AT = {"compile": 1, "search": 2, "match": 2, "fullmatch": 2, "finditer": 2, "findall": 2, "sub": 4, "split": 3}

_CATEGORIES = {
    codes.CATEGORY_DIGIT: "7",
    codes.CATEGORY_NOT_DIGIT: "a",
    codes.CATEGORY_SPACE: " \n",
    codes.CATEGORY_NOT_SPACE: "a.",
    codes.CATEGORY_WORD: "a7",
    codes.CATEGORY_NOT_WORD: " .",
}
_ANYTHING = "a7 .\n\"'`@#<>[](){}|-_,:/~"
_MOST_LETTERS = 11
_ENDS = ("", "\0")
"""What may stand behind a repetition, so that it has no match after all."""


@dataclass(frozen=True)
class Expression:
    """A regular expression and where it stands."""

    where: str
    pattern: re.Pattern[Any]
    used: frozenset[str]
    """The functions of re, or the methods of the compiled pattern, that it is used with; none when not known."""


@dataclass(frozen=True)
class NotConstantError(Exception):
    """An expression that is not written down where it is used."""

    where: str


# ---- finding them


def product_files() -> list[Path]:
    """Return the files of the program itself."""
    return [path for path in our_files() if path.relative_to(ROOT).parts[0] not in {"tests", "bench", "build"}]


def expressions_of(path: Path) -> Iterator[Expression | NotConstantError]:
    """Yield the regular expressions of a file, and instead of those that are made at run time an error."""
    source = path.read_text(encoding="utf-8")
    if _IMPORT not in source:  # every worker of a run comes here, and parsing takes ten times as long as reading
        return
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    constants = dict(constants_of(tree))
    names = {
        node.value: node.targets[0].id
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in nodes:
        if isinstance(node, ast.Call) and (name := function_of_re(node)) is not None:
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            try:
                pattern = re.compile(value_of(node.args[0], constants), flags_of(node, name))
                used = methods_of(names[node], source) if node in names else {name} - {"compile"}
                yield Expression(where, pattern, frozenset(used))
            except KeyError:
                yield NotConstantError(where)


def is_plain(node: ast.Import) -> bool:
    """Return whether a statement imports re alone, under its own name."""
    return f"{ast.unparse(node)}\n" == _IMPORT


def methods_of(name: str, source: str) -> set[str]:
    """Return the methods of a compiled pattern that a file calls."""
    return set(re.findall(rf"\b{name}\.({'|'.join(_CALLS)})\(", source))


def function_of_re(call: ast.Call) -> str | None:
    """Return the function of re that is called with an expression; None when it is something else."""
    function = call.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "re":
        return function.attr if function.attr in _CALLS else None
    return None


def constants_of(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the texts that a module gives a name to."""
    known: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                known[node.targets[0].id] = value_of(node.value, known)
            except KeyError:
                continue
            yield node.targets[0].id, known[node.targets[0].id]


def value_of(node: ast.AST, constants: dict[str, str]) -> Any:
    """Return a text that is written down, or put together from such; raise KeyError for any other."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(value_of(part, constants) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return value_of(node.value, constants)
    if isinstance(node, ast.Name):
        return constants[node.id]
    raise KeyError(type(node).__name__)


def flags_of(call: ast.Call, name: str) -> int:
    """Return the flags of a call."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "flags"]
    given += call.args[_FLAGS_AT.get(name, 4) :][:1]
    return int(eval(ast.unparse(given[0]), {"re": re})) if given else 0  # noqa: S307 - it is our own source


@cache
def all_expressions() -> tuple[Expression | NotConstantError, ...]:
    """Return those of the whole program."""
    return tuple(one for path in product_files() for one in expressions_of(path))


# ---- attacking them


def attacks(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what may make an expression slow: a beginning, something to be repeated, and an end."""
    parsed = _parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    letters = list(dict.fromkeys([*letters_of(parsed), *"a7 ."]))[:_MOST_LETTERS]
    units = [*letters, *map("".join, product(letters, repeat=2)), *parts_of(parsed)]
    beginnings = ["", *beginnings_of(parsed)]
    for unit in dict.fromkeys(unit for unit in units if unit):
        for beginning, end in product(beginnings, _ENDS):
            yield beginning, unit, end


def letters_of(parsed: Any) -> Iterator[str]:
    """Yield a letter for everything that an expression tells apart, those of its own text first."""
    everything = list(nodes_of(parsed))
    yield from (chr(value) for code, value in everything if code is codes.LITERAL and not chr(value).isalpha())
    for code, value in everything:
        if code in (codes.IN, codes.NOT_LITERAL, codes.ANY):
            yield from samples_of_one(code, value)
    yield from (chr(value) for code, value in everything if code is codes.LITERAL)


def nodes_of(parsed: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every part of an expression, however deep."""
    for code, value in parsed:
        yield code, value
        for inner in inside(code, value):
            yield from nodes_of(inner)


def inside(code: Any, value: Any) -> list[Any]:
    """Return the expressions within a part of one."""
    if code is codes.BRANCH:
        return list(value[1])
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        return [value[2]]
    if code is codes.SUBPATTERN:
        return [value[3]]
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return [value[1]]
    return [value] if code is codes.ATOMIC_GROUP else []


def parts_of(parsed: Any) -> Iterator[str]:
    """Yield texts that fit an expression, and those that fit what it repeats."""
    yield from samples(parsed)
    for code, value in nodes_of(parsed):
        for inner in inside(code, value):
            for sample in samples(inner):
                yield sample
                yield f"{sample} "


def beginnings_of(parsed: Any) -> list[str]:
    """Return texts that fit an expression up to each of its first repetitions."""
    found = [
        sample
        for index, (code, _) in enumerate(parsed)
        if index and code in (codes.MAX_REPEAT, codes.MIN_REPEAT)
        for sample in samples(list(parsed)[:index])[:1]
    ]
    return list(dict.fromkeys(found))[:2]


def samples(parsed: Iterable[tuple[Any, Any]]) -> list[str]:
    """Return up to three texts that fit an expression, as far as it can be told without trying."""
    texts = ["", "", ""]
    for code, value in parsed:
        choices = samples_of_one(code, value)
        texts = [text + choices[index % len(choices)] for index, text in enumerate(texts)]
    return list(dict.fromkeys(texts))


def samples_of_one(code: Any, value: Any) -> list[str]:
    """Return texts that fit one part of an expression; an empty one where only its surroundings matter."""
    if code is codes.LITERAL:
        return [chr(value)]
    if code is codes.NOT_LITERAL:
        return [letter for letter in _ANYTHING if letter != chr(value)][:4]
    if code is codes.ANY:
        return ["a", " "]
    if code is codes.IN:
        return members(value)
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        return [min(max(value[0], 1), 20) * sample for sample in samples(value[2])]
    if code is codes.BRANCH:
        return [sample for branch in value[1] for sample in samples(branch)][:6]
    return samples(value[3]) if code is codes.SUBPATTERN else [""]


def members(items: list[tuple[Any, Any]]) -> list[str]:
    """Return some letters of a set."""
    named = [letter for code, value in items for letter in member(code, value)]
    if items[0][0] is codes.NEGATE:
        return [letter for letter in _ANYTHING if letter not in named][:6] or ["\N{SNOWMAN}"]
    return list(dict.fromkeys(named))[:6]


def member(code: Any, value: Any) -> list[str]:
    """Return some letters of one part of a set."""
    if code is codes.LITERAL:
        return [chr(value)]
    if code is codes.RANGE:
        return [chr(value[0])]
    return list(_CATEGORIES[value]) if code is codes.CATEGORY else []


def seconds(pattern: re.Pattern[Any], used: frozenset[str], text: str) -> float:
    """Return the processor time that it takes to use an expression on a text, in the ways in which it is used."""
    subject = text.encode("utf-8", "replace") if isinstance(pattern.pattern, bytes) else text
    begun = time.thread_time()
    if not used or used - {"match", "fullmatch"}:
        for _ in pattern.finditer(subject):
            pass
    if not used or "match" in used:
        pattern.match(subject)
    if not used or "fullmatch" in used:
        pattern.fullmatch(subject)
    return time.thread_time() - begun


def slowest(pattern: re.Pattern[Any], used: frozenset[str] = frozenset()) -> tuple[float, str]:
    """Return how long an expression takes over the worst of the attacks, or over the first that is bad enough."""
    worst = 0.0, ""
    for beginning, unit, end in attacks(pattern):
        for length in _LENGTHS:
            text = f"{beginning}{unit * (length // len(unit))}"[: length - len(end)] + end
            most = _MOST_SHORT if length <= _SHORT else MOST
            taken = seconds(pattern, used, text)
            if most < taken < 5 * most:  # again: the processor may have been disturbed
                taken = min(taken, *(seconds(pattern, used, text) for _ in range(3)))
            told = f"{beginning!r} + {unit!r} * n + {end!r}, {length} characters"
            worst = max(worst, (taken, told))
            if taken > most:
                return taken, told
            if length == _LONG and taken < _QUICK:
                break
    return worst


# ---- the tests


def test_no_expression_is_made_of_data() -> None:
    assert [one.where for one in all_expressions() if isinstance(one, NotConstantError)] == []


def test_nothing_hides_an_expression_from_this_test() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in product_files()}
    imports = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, source in sources.items()
        if _ANY_IMPORT.search(source)  # most have none, and are not parsed
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.ImportFrom) and node.module in {"re", "regex", "fnmatch"})
        or (isinstance(node, ast.Import) and any(one.name == "re" for one in node.names) and not is_plain(node))
    ]

    assert imports == []
    assert len(all_expressions()) > 40


@pytest.mark.parametrize(
    "expression",
    [pytest.param(one, id=one.where) for one in all_expressions() if isinstance(one, Expression)],
)
def test_an_expression_takes_no_long_over_any_text(expression: Expression) -> None:
    taken, text = slowest(expression.pattern, expression.used)

    limit = (
        _MOST_SHORT
        if text.endswith(tuple(f" {length} characters" for length in _LENGTHS if length <= _SHORT))
        else MOST
    )
    assert taken <= limit, f"{expression.where} {expression.pattern.pattern!r} takes {taken:.3f} s over {text}"


@pytest.mark.parametrize(
    "slow",
    [
        pytest.param(r"\S+@\S+\.\w+", id="cubic"),
        pytest.param(r"(?:a|a a)(?:\s+(?:a|a a))*\s+say", id="exponential"),
        pytest.param(r"(\w+)*$", id="repeated repetition"),
        pytest.param(r"\s+\w*\s+$", id="blanks at the end"),
    ],
)
def test_an_expression_that_takes_long_is_noticed(slow: str) -> None:
    taken, text = slowest(re.compile(slow))

    assert taken > _MOST_SHORT, text
