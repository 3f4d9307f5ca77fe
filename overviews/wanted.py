"""Read what a search asks for from words as people type them: `deploy from:ana in:#ops has:link when:"last week"`."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from memory.holding import Holding

LONGEST = 1000
"""Characters of what is typed behind /search."""

_FILTER = re.compile(r"(?P<name>[A-Za-z]{1,20}):(?P<value>[^/\\:].{0,300})", re.DOTALL)
_FILTERS = ("from", "in", "has", "when", "order")

E = TypeVar("E", bound=StrEnum)


class Order(StrEnum):
    """Which of the messages that are found come first."""

    BEST = "best"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedWords:
    """What a search asks for, with people and channels as they were typed."""

    text: str = ""
    people: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    holding: frozenset[Holding] = frozenset()
    when: str = ""
    order: Order | None = None


def wanted_words(typed: str) -> WantedWords:
    """Return what is asked for by words with filters among them; raise ValueError, in one sentence, for what is not."""
    if len(typed) > LONGEST:
        raise ValueError(f"Your search has {len(typed)} characters: search with {LONGEST} or fewer.")
    text: list[str] = []
    values: dict[str, list[str]] = {name: [] for name in _FILTERS}
    for token in _tokens(typed):
        found = _FILTER.fullmatch(token)
        name = found["name"].lower() if found else ""
        if name in values and found:
            values[name].append(" ".join(found["value"].split()))
        elif found and not found["value"][0].isdigit():
            raise ValueError(f"There is no filter {found['name']}: filter by {', '.join(_FILTERS[:-1])} or order.")
        else:
            text.append(token)
    return WantedWords(
        text=" ".join(text),
        people=tuple(values["from"]),
        channels=tuple(values["in"]),
        holding=frozenset(_choice(Holding, "has", value) for value in values["has"]),
        when=" and ".join(values["when"]),
        order=_choice(Order, "order", values["order"][-1]) if values["order"] else None,
    )


def _tokens(typed: str) -> Iterator[str]:
    """Yield what is typed, cut at spaces but for those between double quotes; an apostrophe is a letter."""
    lexer = shlex.shlex(typed, posix=True)
    lexer.whitespace_split = True
    lexer.quotes, lexer.escape, lexer.commenters = '"', "", ""
    try:
        yield from lexer
    except ValueError as error:
        raise ValueError('A double quote is not closed: write both, as in when:"last week".') from error


def _choice(kind: type[E], name: str, value: str) -> E:
    try:
        return kind(value.lower().removesuffix("s") if kind is Holding else value.lower())
    except ValueError as error:
        raise ValueError(f"There is no {name}:{value}: write {name}: with {_listed(list(kind))}.") from error


def _listed(names: list[E]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
