"""Show a model that reads slowly, or little at once, the best of what was found."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.context import Context
from agent.conversations import Earlier
from agent.opening import Opening
from agent.transcript import NumberedLine, format_lines
from memory.message import Message

CHARACTERS = 4
"""Of a token, as languages in Latin letters have them."""

MOST_LINES = 6
"""More is more to confuse: what answers a question is among the first five nearly always."""

PART_OF_EARLIER_TURNS = 3
"""Of a prompt no more than this part, a third, are earlier turns."""

_FRAME = 500
"""Tokens of all else in a prompt: the instructions with their example, the fence, who asks and when."""


def tokens_of(history: Sequence[Earlier], about: Sequence[Message]) -> int:
    """Return about how many tokens earlier turns take, and the messages that a question points at."""
    texts = [turn.question for turn in history]
    texts += [message.content for turn in history for message in turn.messages]
    texts += [message.content for message in about]
    return sum(len(text) for text in texts) // CHARACTERS


def newest(history: Sequence[Earlier], *, max_tokens: int) -> Sequence[Earlier]:
    """Return the newest earlier turns that take no more than so many tokens, oldest first."""
    for start in range(len(history)):
        if tokens_of(history[start:], ()) <= max_tokens:
            return history[start:]
    return ()


def narrowed(context: Context, opening: Opening, *, max_tokens: int) -> tuple[Context, Opening]:
    """Return the context and the opening of a run whose first prompt has about so many tokens.

    What fits is left as it is. Else the messages that answer the question by themselves come first, then the best hits,
    each cut to a part of the space, and they are numbered anew from 1: a model cites low numbers, and can cite nothing
    that it was not shown. A stretch of time stays in its order.
    """
    space = max(0, max_tokens - _FRAME) * CHARACTERS
    if len(opening.text) <= space or not opening.found.lines:
        return context, opening
    evidence = context.evidence.unnumbered()
    lines = list(dict.fromkeys(_best_first(opening)))[:MOST_LINES]
    if not context.parsed.topic:
        order = {number: place for place, (number, _) in enumerate(opening.found.lines)}
        lines.sort(key=lambda line: order[line[0]])
    shown = format_lines(
        [line for _, line in lines], evidence=evidence, time_zone=context.question.time_zone, space=space
    )
    return replace(context, evidence=evidence), replace(opening, text=shown.text)


def with_half(opening: Opening, *, max_tokens: int) -> int:
    """Return how many tokens a prompt has that shows half of what was found that one of `max_tokens` shows."""
    shown = min(len(opening.text) // CHARACTERS, max(0, max_tokens - _FRAME))
    return _FRAME + shown // 2


def _best_first(opening: Opening) -> Iterator[NumberedLine]:
    """Yield the chosen lines, each behind the question that it answers, and then the hits, the best first."""
    lines = dict(opening.found.lines)
    by_message = {line.message.message_id: (number, line) for number, line in opening.found.lines}
    for quote in opening.chosen:
        before = by_message.get(quote.answers.message_id) if quote.answers else None
        if before:
            yield before
        if quote.number in lines:
            yield quote.number, lines[quote.number]
    hits = [(number, line) for number, line in opening.found.lines if line.hit]
    yield from sorted(hits, key=lambda hit: -hit[1].score)
