"""Write a trace as JSON, and read it back as lines that form a tree."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from memory.answers.traces import StoredTrace
from memory.plain_text import one_line
from tracing import Span

LONGEST_FACT = 200
"""Characters of a fact in a line."""

DEEPEST = 20
"""Spans within spans; what lies deeper is left out."""


def tree_of(span: Span, *, left_out: int = 0, depth: int = 0) -> dict[str, Any]:
    """Return a span, with those within it, as JSON; times are in milliseconds since the trace began."""
    tree: dict[str, Any] = {
        "name": span.name,
        "at": round(span.started * 1000, 3),
        "ms": None if span.seconds is None else round(span.seconds * 1000, 3),
        "facts": {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in span.facts.items()},
        "parts": [tree_of(part, depth=depth + 1) for part in span.parts] if depth < DEEPEST else [],
    }
    return tree | ({"left_out": left_out} if left_out else {})


def rendered(stored: StoredTrace) -> str:
    """Return a stored trace as text: a line for each step, indented below the one that it is part of."""
    where = f"channel {stored.channel_id}" + ("" if stored.guild_id is None else f" of server {stored.guild_id}")
    head = f"Trace {stored.trace_id}, {stored.made_at:%a %d %b %Y %H:%M:%S} UTC, asked by {stored.asker_id} in {where}"
    left_out = stored.tree.get("left_out")
    more = [f"({left_out} further steps were not recorded.)"] if left_out else []
    return "\n".join([head, *_lines(stored.tree, "", ""), *more])


def _lines(tree: Mapping[str, Any], start: str, below: str) -> Iterator[str]:
    """Yield the lines of a step; its own begins with `start`, those of what it consists of with `below`."""
    took = "not ended" if tree.get("ms") is None else f"{tree['ms']:,.1f} ms"
    facts = ", ".join(f"{name}: {_fact(fact)}" for name, fact in tree.get("facts", {}).items())
    yield f"{start}{one_line(str(tree.get('name')))}  {took}" + (f"  ({facts})" if facts else "")
    parts: Sequence[Mapping[str, Any]] = tree.get("parts", ())
    for number, part in enumerate(parts, 1):
        is_last = number == len(parts)
        yield from _lines(part, f"{below}{'`- ' if is_last else '|- '}", f"{below}{'   ' if is_last else '|  '}")


def _fact(fact: Any) -> str:
    """Return a fact on one line; what people wrote may hold anything."""
    text = one_line(", ".join(map(str, fact)) if isinstance(fact, list) else str(fact))
    return text if len(text) <= LONGEST_FACT else f"{text[:LONGEST_FACT]}..."
