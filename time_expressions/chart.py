"""Apply rules to tokens, from the bottom up, until they find nothing new.

A chart parser (Kay, "Algorithm schemata and data structures in syntactic processing", 1980) finds every reading of
every stretch of a text. That suits phrases which stand anywhere in a sentence: there is no sentence to be parsed,
and what no rule knows is passed over.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from time_expressions.tokens import Token

Action = Callable[..., Any]
AnAction = TypeVar("AnAction", bound=Action)
LONGEST_TEXT = 250
"""Tokens of a text that are looked at: a question is shorter, and the work is bounded."""

_ELEMENT = re.compile(r"~?<\w[^>]*>\??|\S+")


class Element(NamedTuple):
    """One place in a pattern: some words, or a category; `glued` allows no space before it."""

    words: frozenset[str]
    category: str
    optional: bool
    glued: bool
    kept: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, the category that it makes, and the action which makes the value (None: no match after all)."""

    elements: tuple[Element, ...]
    makes: str
    action: Action


class Item(NamedTuple):
    """A stretch of tokens, from `start` to before `end`, that was read as one thing."""

    category: str
    start: int
    end: int
    value: Any


class Opening(NamedTuple):
    """One way in which a rule can begin: the elements before `at` are optional and left out; `then` must follow."""

    rule: Rule
    at: int
    left_out: tuple[None, ...]
    then: Element | None


class Grammar:
    """A set of rules; a module of rules makes one and fills it with the decorator `rule`."""

    def __init__(self, *parts: "Grammar") -> None:
        self.by_word: dict[str, list[Opening]] = defaultdict(list)
        self.by_category: dict[str, list[Opening]] = defaultdict(list)
        for part in parts:
            for openings, added in ((self.by_word, part.by_word), (self.by_category, part.by_category)):
                for first, new_openings in added.items():
                    openings[first] += new_openings

    def rule(self, makes: str, *patterns: str) -> Callable[[AnAction], AnAction]:
        """Return a decorator that makes a function the action of these patterns.

        In a pattern `a|b` is one of these words, `[a|b]` too, and it is given to the action, `<name>` is something
        of that category, given to the action. A `?` behind makes an element optional (the action gets None), a `~`
        before it forbids a space there. The action is called with the reading and what the pattern gives.
        """

        def register(action: AnAction) -> AnAction:
            for pattern in patterns:
                self._add(Rule(_elements(pattern), makes, action))
            return action

        return register

    def _add(self, rule: Rule) -> None:
        left_out: tuple[None, ...] = ()
        for at, element in enumerate(rule.elements):
            then = next((following for following in rule.elements[at + 1 : at + 2] if not following.optional), None)
            opening = Opening(rule, at, left_out, then)
            if element.category:
                self.by_category[element.category].append(opening)
            for word in element.words:
                self.by_word[word].append(opening)
            if not element.optional:
                return
            left_out = (*left_out, None) if element.kept else left_out
        raise ValueError("a pattern needs something that must be there")


def _elements(pattern: str) -> tuple[Element, ...]:
    return tuple(map(_element, _ELEMENT.findall(pattern)))


def _element(written: str) -> Element:
    glued, written = written.startswith("~"), written.removeprefix("~")
    optional = len(written) > 1 and written.endswith("?")
    written = written.removesuffix("?") if optional else written
    if written.startswith("<") and len(written) > 2:
        return Element(frozenset(), written[1:-1], optional, glued, kept=True)
    kept = written.startswith("[") and len(written) > 2
    words = written[1:-1] if kept else written
    return Element(frozenset(words.split("|")), "", optional, glued, kept)


Beside = Callable[["Chart", Item, Any], Iterable[Item]]


class Chart:
    """Every reading of every stretch of some tokens.

    It is filled from the last token to the first: what begins further right is complete by then, so that each item is
    looked at once.
    """

    def __init__(self, tokens: Sequence[Token], lexicon: Iterable[Item]) -> None:
        self._tokens = tokens[:LONGEST_TEXT]
        self._found: dict[tuple[int, str], dict[Item, None]] = defaultdict(dict)
        self._words: dict[int, list[Item]] = defaultdict(list)
        for item in lexicon:
            self._words[item.start].append(item)

    def fill(self, grammar: Grammar, reading: Any, *, begin: int = 0, beside: Beside | None = None) -> None:
        """Apply the rules to the tokens from one on, and to what rules made, until nothing new is found.

        `beside` makes more of each item, of which it is given the chart, with all that begins further right.
        """
        for start in reversed(range(begin, len(self._tokens))):
            word = self._tokens[start].text
            made = [
                item
                for opening in grammar.by_word.get(word, ())
                if self._goes_on(opening.then, start + 1)
                for item in self._made(opening, start, start + 1, word, reading)
            ]
            waiting = [item for item in (*self._words[start], *made) if self._add(item)]
            while waiting:
                first = waiting.pop()
                for opening in grammar.by_category.get(first.category, ()):
                    if self._goes_on(opening.then, first.end):
                        made = self._made(opening, start, first.end, first.value, reading)
                        waiting += [item for item in made if self._add(item)]
                if beside is not None:
                    waiting += [item for item in beside(self, first, reading) if self._add(item)]

    def read_again(self, start: int, end: int, grammar: Grammar, reading: object) -> "Chart":
        """Return a chart of the tokens from `start` to before `end` alone, filled with another reading."""
        lexicon = (item for at in range(start, end) for item in self._words.get(at, ()) if item.end <= end)
        chart = Chart(self._tokens[:end], lexicon)
        chart.fill(grammar, reading, begin=start)
        return chart

    def items(self, category: str, *, start: int | None = None, end: int | None = None) -> list[Item]:
        """Return everything of a category, or only what begins and ends at these tokens."""
        if start is not None:
            return [item for item in self._found.get((start, category), ()) if end in (None, item.end)]
        return [item for (_, kind), found in self._found.items() if kind == category for item in found]

    def _goes_on(self, element: Element | None, at: int) -> bool:
        """Tell at little cost whether an element may follow, where one must."""
        if element is None:
            return True
        if at >= len(self._tokens) or (element.glued and not self._tokens[at].glued):
            return False
        return (at, element.category) in self._found if element.category else self._tokens[at].text in element.words

    def _made(self, opening: Opening, start: int, end: int, value: Any, reading: object) -> list[Item]:
        """Return what a rule makes of a stretch whose first element is found."""
        rule, at, left_out, _ = opening
        values = (*left_out, value) if rule.elements[at].kept else left_out
        ways = self._ways(rule.elements[at + 1 :], end, values)
        made = ((after, _result(rule, reading, given)) for after, given in ways)
        return [Item(rule.makes, start, after, result) for after, result in made if result is not None]

    def _ways(
        self, elements: tuple[Element, ...], at: int, values: tuple[Any, ...]
    ) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Yield where the elements can end from a token on, with the values that they give."""
        if not elements:
            yield at, values
            return
        first, rest = elements[0], elements[1:]
        if at < len(self._tokens) and (not first.glued or self._tokens[at].glued):
            for end, value in self._one(first, at):
                yield from self._ways(rest, end, (*values, value) if first.kept else values)
        if first.optional:
            yield from self._ways(rest, at, (*values, None) if first.kept else values)

    def _one(self, element: Element, at: int) -> Iterator[tuple[int, Any]]:
        if element.category:
            for item in self._found.get((at, element.category), ()):
                yield item.end, item.value
        elif self._tokens[at].text in element.words:
            yield at + 1, self._tokens[at].text

    def _add(self, item: Item) -> bool:
        found = self._found[item.start, item.category]
        new = item not in found
        found[item] = None
        return new


def _result(rule: Rule, reading: object, values: tuple[Any, ...]) -> Any:
    try:
        return rule.action(reading, *values)
    except (ValueError, OverflowError):  # beyond the years that a calendar has
        return None
