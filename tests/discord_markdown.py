"""A small model of how Discord shows a message, by the rules of simple-markdown, which its clients are made with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """Something that is shown in its own way: its kind, the words in it, and for a link where it leads."""

    kind: str
    text: str
    target: str = ""


_BLOCKS = (
    ("quote", re.compile(r" *>>> ([\s\S]*)")),
    ("quote", re.compile(r" *> ([^\n]*)\n?")),
    ("heading", re.compile(r" *#{1,3} +([^\n]+)\n?")),
    ("subtext", re.compile(r" *-# +([^\n]+)\n?")),
    ("item", re.compile(r" *(?:[*+-]|\d+\.) +([^\n]+)\n?")),
)
_INLINE = (
    ("escape", re.compile(r"\\([^0-9A-Za-z\s])")),
    ("code block", re.compile(r"```(?:[a-zA-Z0-9_+\-.#]+?\n)?\n*([^\n][\s\S]*?)\n*```")),
    ("code", re.compile(r"(`+)([\s\S]*?[^`])\1(?!`)")),
    ("emoji", re.compile(r"<a?:\w+:\d+>")),
    ("time", re.compile(r"<t:-?\d{1,17}(?::[tTdDfFRsS])?>")),
    ("mention", re.compile(r"<(?:@[!&]?|#)\d+>|@everyone|@here")),
    ("link", re.compile(r"<((?:https?|steam)://[^ >\n]+)>")),
    ("link", re.compile(r"((?:https?|steam)://[^\s<]+[^<.,:;\"'\]\s])")),
    ("masked link", re.compile(r"\[((?:\[[^\]]*\]|[^\[\]])+)\]\(<?((?:https?|steam)://[^\s>)]+)>?\)")),
    ("emoji", re.compile(r":[a-z][a-z0-9_+-]*:")),
    ("bold", re.compile(r"\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)")),
    ("underlined", re.compile(r"__((?:\\[\s\S]|[^\\])+?)__(?!_)")),
    ("struck out", re.compile(r"~~([\s\S]+?)~~(?!_)")),
    ("spoiler", re.compile(r"\|\|([\s\S]+?)\|\|")),
    ("italic", re.compile(r"_((?:__|\\[\s\S]|[^\\_])+?)_(?![0-9A-Za-z_])")),
    ("italic", re.compile(r"\*(?=\S)((?:\*\*|\\[\s\S]|[^\s*\\]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*))+?)\*(?!\*)")),
)


def nodes_of(markdown: str) -> list[Node]:
    """Return what a message is shown as, from its beginning to its end; plain words are nodes as well."""
    return list(_joined(_blocks(markdown)))


def in_clear(markdown: str) -> str:
    """Return the words that are seen before anybody clicks on a spoiler."""
    return "".join(node.text for node in nodes_of(markdown) if node.kind != "spoiler")


def _blocks(text: str) -> Iterator[Node]:
    """Yield the nodes of a text; a block begins at the start of a line that nothing else reaches into."""
    position = 0
    while position < len(text):
        if position == 0 or text[position - 1] == "\n":
            found = [(kind, match) for kind, rule in _BLOCKS if (match := rule.match(text, position))]
            if found:
                kind, match = found[0]
                yield Node(kind, "")
                yield from _blocks(match[1]) if kind == "quote" else _inline(match[1])
                yield Node("text", "\n")
                position = match.end()
                continue
        shown, position = _next(text, position)
        yield from shown


def _inline(text: str) -> Iterator[Node]:
    position = 0
    while position < len(text):
        shown, position = _next(text, position)
        yield from shown


def _next(text: str, position: int) -> tuple[list[Node], int]:
    for kind, rule in _INLINE:
        if match := rule.match(text, position):
            return _shown(kind, match), match.end()
    return [Node("text", text[position])], position + 1


def _shown(kind: str, match: re.Match[str]) -> list[Node]:
    if kind == "escape":
        return [Node("text", match[1])]
    if kind == "code":
        return [Node(kind, match[2])]
    if kind in {"emoji", "time", "mention"}:
        return [Node(kind, match[0])]
    if kind == "link":
        return [Node(kind, match[1], match[1])]
    if kind == "masked link":
        return [Node(kind, match[1], match[2])]
    if kind == "code block":
        return [Node(kind, match[1])]
    if kind == "spoiler":
        return [Node(kind, "".join(node.text for node in _inline(match[1])))]
    return [Node(kind, ""), *_inline(match[1])]


def _joined(nodes: Iterator[Node]) -> Iterator[Node]:
    """Yield the nodes with the letters of plain words that stand side by side as one of them."""
    words = ""
    for node in nodes:
        if node.kind == "text":
            words += node.text
            continue
        if words:
            yield Node("text", words)
            words = ""
        yield node
    if words:
        yield Node("text", words)
