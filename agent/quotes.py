"""Pick the messages that answer a question by themselves, and write them as quotations."""

import re
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from agent.citations import split_code, unmarked
from agent.fence import one_line
from memory.findings import Line
from memory.messages import Kind

CLEARLY_ALIKE = 0.38
"""Cosine similarity from which a message is quoted without sharing a word with the question."""

FAINTLY_ALIKE = 0.15
"""Similarity that a message with words of the question still needs: below it the words mean something else."""

WORSE_BY = 0.20
"""How much less alike than the best message a quotation may be: what lags further is about another matter."""

WEAKER_BY = 0.5
"""Share of the best lexical score that makes up for lagging in similarity."""

OUTSHONE_BY = 0.6
"""Share of the best fused score that a quotation needs: what falls further short was found for want of better."""

MOST_QUOTES = 3
"""More is a list of search results, no answer."""

LENGTH = 300
"""Characters of a quotation: two or three sentences."""

CODE_LENGTH = 800
"""Characters of a quotation with code, which half a block would spoil."""

NumberedLine = tuple[int, Line]

_FENCE = re.compile(r"\n*(?P<fence>`{3,})(?P<body>.*?)(?:(?P=fence)|\Z)\n*", re.DOTALL)


def best_lines(lines: Iterable[NumberedLine], *, question: str) -> list[NumberedLine]:
    """Return up to MOST_QUOTES lines that answer the question, the best first; none when none is relevant."""
    hits = [(number, line) for number, line in lines if _is_relevant(line, question)]
    if not hits:
        return []
    alike = max(line.similarity for _, line in hits) - WORSE_BY
    worded = max(line.lexical for _, line in hits) * WEAKER_BY
    near = [
        (number, line) for number, line in hits if line.similarity >= alike or (worded > 0 and line.lexical >= worded)
    ]
    best_first = sorted(near, key=lambda one: -one[1].score)
    best = best_first[0][1].score if best_first else 0.0
    needed = min(best, best * OUTSHONE_BY)  # scores are distances from the mean, and may be below it
    return _without_repeats(one for one in best_first if one[1].score >= needed)[:MOST_QUOTES]


def quotation(number: int, line: Line, *, question: str, time_zone: ZoneInfo) -> str:
    """Return one message as a bullet with who said it, where, when (on the clock of `time_zone`), and its mark."""
    message = line.message
    sent_at = message.sent_at.astimezone(time_zone)
    who = _plain(one_line(message.author_name))
    where = _plain(one_line(message.channel_name))
    heading = f"- **{who}** in #{where}, {sent_at:%a} {sent_at.day} {sent_at:%b %Y %H:%M}"
    text = message.content.strip() or ", ".join(one_line(file.name) for file in message.attachments)
    if "```" in text:
        return f"{heading} [{number}]:\n{_code(text)}"
    said = unmarked(_balanced(excerpt(text, question)))
    if "\n" in said:
        return "\n".join([f"{heading} [{number}]:", *(f"> {part}" for part in said.splitlines())])
    return f'{heading}: "{said}" [{number}]'


def excerpt(text: str, question: str) -> str:
    """Return at most about LENGTH characters of a text, around the first word that it shares with the question."""
    if len(text) <= LENGTH:
        return text
    start = max(0, _first_shared_word(text, question) - LENGTH // 3)
    start = text.rfind(" ", 0, start) + 1 if start else 0
    end = start + LENGTH
    if end < len(text):
        end = max(text.rfind(" ", start, end), start + LENGTH // 2)
    return f"{'… ' if start else ''}{text[start:end].strip()}{' …' if end < len(text) else ''}"


def _is_relevant(line: Line, question: str) -> bool:
    if not line.hit or line.message.kind != Kind.MESSAGE or line.message.content.strip() == question.strip():
        return False
    if line.similarity >= CLEARLY_ALIKE:
        return True
    return line.lexical > 0 and line.similarity >= FAINTLY_ALIKE


def _without_repeats(lines: Iterable[NumberedLine]) -> list[NumberedLine]:
    first: dict[tuple[str, str], NumberedLine] = {}
    for number, line in lines:
        first.setdefault((line.message.author_name, line.message.content), (number, line))
    return list(first.values())


def _first_shared_word(text: str, question: str) -> int:
    words = {word for word in re.findall(r"\w+", question.lower()) if len(word) > 3}
    shared = (word.start() for word in re.finditer(r"\w+", text.lower()) if word[0] in words)
    return next(shared, 0)


def _code(text: str) -> str:
    """Return a text whose code fences stand on lines of their own and are closed."""
    cut = text
    if len(text) > CODE_LENGTH:
        cut = f"{text[:CODE_LENGTH].rpartition(chr(10))[0] or text[:CODE_LENGTH]}\n…"
    apart = _FENCE.sub(lambda fence: f"\n{_block(fence['body'])}\n", cut).strip("\n")
    return "".join(part if is_code else unmarked(_plain(part)) for is_code, part in split_code(apart))


def _block(body: str) -> str:
    first, line_break, rest = body.partition("\n")
    return f"```{first}\n{rest.rstrip()}\n```" if line_break else f"```\n{first}\n```"


def _balanced(text: str) -> str:
    """Return a text whose stray backticks cannot make code of what follows it."""
    return "\n".join(
        "".join(part if is_code else _plain(part) for is_code, part in split_code(line)) for line in text.splitlines()
    )


def _plain(text: str) -> str:
    return text.replace("`", "'")
